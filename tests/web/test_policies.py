"""The pages of approval policies and of delegations."""

import pytest
from django.test import Client

from cvdops.access.models import Delegation, RoleGrant
from cvdops.approvals.seed import seed_policies
from cvdops.changes.models import Change
from tests.cast import person
from tests.web.world import World

PAGE = "/permissions/policies/production/security/always/"
TYPED = {"who": "2 of operations-manager or cto\nsecurity-admin", "minutes": "90", "reason": "so"}


@pytest.fixture
def lead(world: World) -> Client:
    seed_policies()
    for role in ("operations-manager", "cto", "security-admin"):
        person(role)
    return world.client("operations-lead")


def test_a_policy_is_read_and_its_form_begins_with_it(lead: Client) -> None:
    assert "1 of Security Admin" in lead.get("/permissions/policies/").content.decode()
    page = lead.get(PAGE).content.decode()
    assert "1 of operations-manager\n1 of security-admin</textarea>" in page
    assert 'value="240"' in page


def test_what_is_typed_becomes_a_proposal(lead: Client) -> None:
    assert lead.post(PAGE, TYPED).status_code == 302
    assert Change.objects.get().after == {
        "groups": [
            {"approvers": ["operations-manager", "cto"], "required": 2},
            {"approvers": ["security-admin"], "required": 1},
        ],
        "expires": 5400,
        "reason_required": False,
    }


def test_what_is_wrong_is_said_and_what_was_typed_is_kept(lead: Client) -> None:
    answer = lead.post(PAGE, {**TYPED, "who": "1 of somebody", "reason": "because"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "There is no role or group somebody." in page
    assert ">\nbecause</textarea>" in page


def test_a_policy_that_nobody_can_meet_is_told_on_its_page_at_home_and_by_the_api(
    lead: Client,
) -> None:
    assert "Nobody could ever meet it" not in lead.get("/").content.decode()
    RoleGrant.objects.filter(role="security-admin").delete()
    why = "Nobody could ever meet it: 1 of security-admin: nobody answers for that now."
    assert lead.get("/permissions/policies/").content.decode().count(why) == 1
    home = lead.get("/").content.decode()
    assert why in home and f'href="{PAGE}"' in home
    found = lead.get("/api/v1/permissions/policies").json()["policies"]
    assert [p["category"] for p in found if p["unmet"]] == ["security"]


def test_home_asks_only_those_to_mend_a_policy_who_may(lead: Client, world: World) -> None:
    RoleGrant.objects.filter(role="security-admin").delete()
    assert "Nobody could ever meet it" not in world.client("cto").get("/").content.decode()


def test_a_form_that_somebody_overtook_is_refused(lead: Client) -> None:
    assert lead.post(PAGE, {**TYPED, "seen": "another"}).status_code == 409


def test_one_delegates_and_ends_it(world: World) -> None:
    world.client("auditor")
    manager = world.client("operations-manager")
    until = world.named({"until": "UNTIL"})["until"]
    body = {"receiver": "auditor", "until": until, "reason": "holiday"}
    assert manager.post("/approvals/delegations/", body).status_code == 302
    made = Delegation.objects.get()
    assert (made.giver, made.receiver) == (person("operations-manager"), person("auditor"))
    assert "holiday" in manager.get("/approvals/delegations/").content.decode()
    manager.post(f"/approvals/delegations/{made.pk}/end/")
    assert not Delegation.objects.in_force().exists()
