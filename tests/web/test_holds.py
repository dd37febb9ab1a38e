"""Holds: set, read on every page, lifted; and what of them exists for whom."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from cvdops.audit.models import AuditEntry
from cvdops.environments.models import Hold
from cvdops.notifications.models import Message
from tests.web.world import World

SOON = f"{timezone.now() + timedelta(days=2):%Y-%m-%dT%H:%M}"
TYPED = {"on": "environment:staging", "reason": "A disk is being changed.", "until": SOON}


@pytest.fixture
def lead(world: World) -> Client:
    return world.client("operations-lead")


@pytest.mark.parametrize("address", ["/", "/runbooks/", "/contacts/", "/environments/"])
def test_a_hold_stands_on_every_page(world: World, lead: Client, address: str) -> None:
    assert lead.post("/holds/set/", TYPED).status_code == 302
    page = world.client("developer").get(address).content.decode()
    assert "<b>Hold on staging</b>" in page and "A disk is being changed." in page


def test_a_hold_is_lifted_once(world: World, lead: Client) -> None:
    address = f"/holds/{world.hold().pk}/lift/"
    assert lead.post(address).status_code == 302
    assert "Hold on" not in lead.get("/").content.decode()
    assert lead.post(address).status_code == 409


def test_both_are_recorded(world: World, lead: Client) -> None:
    lead.post("/holds/set/", TYPED)
    lead.post(f"/holds/{Hold.objects.get().pk}/lift/")
    entries = AuditEntry.objects.filter(action="hold.set", allowed=True).order_by("id")
    assert [entry.data["verb"] for entry in entries] == ["set", "lift"]


def test_channels_hear_of_both_and_of_no_runbook(
    world: World, lead: Client, settings: Settings
) -> None:
    settings.NOTIFY = {"slack": "slack://x"}
    lead.post("/holds/set/", TYPED)
    lead.post(f"/holds/{Hold.objects.get().pk}/lift/")
    lead.post("/holds/set/", {**TYPED, "on": "runbook:deployment"})
    said = list(Message.objects.order_by("id").values_list("body", flat=True))
    assert said[0].startswith("Operations-Lead has put a hold on staging until")
    assert said[1].startswith("Operations-Lead has lifted the hold on staging.")
    assert "a hold on a runbook until" in said[2] and "deployment" not in said[2]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"reason": " "}, "This field is required."),
        ({"until": "2020-01-01T00:00"}, "It ends in the future, within a year."),
        ({"until": "2999-01-01T00:00"}, "It ends in the future, within a year."),
        ({"until": ""}, "This field is required."),
        ({"on": "environment:mars"}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_a_hold(lead: Client, typed: dict[str, str], words: str) -> None:
    answer = lead.post("/holds/set/", {**TYPED, **typed})
    assert answer.status_code == 422 and words in answer.content.decode()
    assert not Hold.objects.exists()


def test_a_hold_on_a_runbook_does_not_tell_that_it_exists(world: World) -> None:
    hold = world.hold(runbook="deployment")
    assert "deployment" in world.client("developer").get("/contacts/").content.decode()
    assert "deployment" not in world.client("outsider").get("/contacts/").content.decode()
    assert world.client("admin").post(f"/holds/{hold.pk}/lift/").status_code in {302, 404}


def test_a_runbook_that_one_does_not_see_cannot_be_held(world: World) -> None:
    page = world.client("admin").get("/holds/").content.decode()
    assert ('value="runbook:deployment"' in page) is (
        world.client("admin").get("/runbooks/deployment/").status_code == 200
    )
