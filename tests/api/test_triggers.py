"""Inbound webhooks: signed, of now, once; as a service account, by the rules that hold for a person."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from cvdops.access.models import RoleGrant
from cvdops.accounts.models import User
from cvdops.audit.models import AuditEntry
from cvdops.executions import deliveries, engine, separation, triggers
from cvdops.executions.models import Delivery, Execution, Trigger
from cvdops.lib.errors import Invalid
from tests.api.calls import call, get, token
from tests.cast import person
from tests.web.world import World

PAYLOAD = {"release": {"tag": "v1.0.1"}, "numbers": [1, 2.5, True, None], "a/b": {"~": "odd"}}


@dataclass
class Sender:
    """A system that has the secret."""

    trigger: Trigger
    secret: str
    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    def send(
        self,
        payload: object = PAYLOAD,
        *,
        delivery: str = "one",
        at: float | None = None,
        forged: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        timestamp = str(int(time.time() if at is None else at))
        right = deliveries.signature(self.secret, timestamp, delivery, body)
        said = {
            "x-cvdops-timestamp": timestamp,
            "x-cvdops-delivery": delivery,
            "x-cvdops-signature": right,
        }
        return self.client.post(
            f"/api/v1/triggers/{self.trigger.pk}/deliver",
            body,
            content_type="application/json",
            headers={
                **said,
                **{f"x-cvdops-{name}": value for name, value in (forged or {}).items()},
            },
        )


@pytest.fixture
def sender(world: World) -> Sender:
    return Sender(*world.trigger())


def test_a_signed_delivery_asks_for_an_execution(sender: Sender) -> None:
    answer = sender.send()
    assert answer.status_code == 201, answer.content
    made = Execution.objects.get()
    assert answer.json()["execution"] == str(made.pk)
    assert (made.requested_by.username, made.variables["TARGET_VERSION"]) == ("ci", "v1.0.1")
    assert made.reason == "Trigger “Build”, delivery one"
    assert Delivery.objects.get().execution == made
    entry = AuditEntry.objects.get(action="trigger.deliver")
    assert (entry.actor.username, entry.allowed) == ("ci", True)


def test_the_same_delivery_counts_once(sender: Sender) -> None:
    assert [sender.send().status_code for _ in range(2)] == [201, 409]
    assert Execution.objects.count() == 1


@pytest.mark.parametrize(
    "forged",
    [
        {"signature": "sha256=" + "0" * 64},
        {"signature": ""},
        {"signature": "sha1=é"},
        {"delivery": "two"},
        {"timestamp": "1"},
        {"timestamp": "x"},
        {"timestamp": "9" * 40},
    ],
)
def test_without_a_right_signature_nothing_happens(forged: dict[str, str], sender: Sender) -> None:
    answer = sender.send(forged=forged)
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert answer.json()["code"] == "signature"
    assert not Execution.objects.exists() and not Delivery.objects.exists()
    assert Trigger.objects.get().unsigned == 1


@pytest.mark.parametrize("off", [-360, 360])
def test_an_old_or_future_delivery_is_refused(off: int, sender: Sender) -> None:
    answer = sender.send(at=time.time() + off)
    assert (answer.status_code, answer.json()["code"]) == (401, "signature")
    assert not Execution.objects.exists()


def test_a_former_secret_opens_nothing(sender: Sender) -> None:
    triggers.rotate(person("operations-lead"), sender.trigger.pk)
    assert sender.send().status_code == 401


def test_one_that_is_off_does_not_exist(sender: Sender) -> None:
    triggers.disable(person("operations-lead"), sender.trigger.pk)
    assert sender.send().status_code == 404
    triggers.enable(person("operations-lead"), sender.trigger.pk)
    assert sender.send().status_code == 201


def test_one_whose_account_is_closed_does_not_exist(sender: Sender) -> None:
    User.objects.filter(username="ci").update(is_active=False)
    assert sender.send().status_code == 404


def test_the_account_needs_the_right(sender: Sender) -> None:
    RoleGrant.objects.filter(user__username="ci").delete()
    answer = sender.send()
    assert answer.status_code in {403, 404}
    assert not Execution.objects.exists()
    assert Delivery.objects.get().refusal
    assert AuditEntry.objects.get(action="trigger.deliver").allowed is False


def test_what_was_refused_is_sent_anew_with_another_id(sender: Sender) -> None:
    RoleGrant.objects.filter(user__username="ci").delete()
    assert sender.send().status_code == 404
    again = sender.send()
    assert again.status_code == 409
    assert "started nothing" in again.json()["detail"] and "another id" in again.json()["detail"]


def test_a_trigger_says_at_once_that_its_account_may_not_start_it(world: World) -> None:
    world.service()
    given = {
        "name": "Nightly", "runbook": "deployment", "procedure": "release",
        "environment": "development", "account": "ci",
    }  # fmt: skip
    made = call(token("operations-lead"), "POST", "triggers", given)
    assert made.json()["not_now"] == []
    RoleGrant.objects.filter(user__username="ci").delete()
    made = call(token("operations-lead"), "POST", "triggers", {**given, "name": "Other"})
    assert made.status_code == 201, made.content
    assert [reason["code"] for reason in made.json()["not_now"]]


def test_it_meets_holds_as_a_person_does(sender: Sender, world: World) -> None:
    world.hold(environment_id="development")
    answer = sender.send()
    assert answer.status_code == 403
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["hold"]


def test_it_meets_a_closed_window_as_a_person_does(sender: Sender, world: World) -> None:
    world.window(starts_at=timezone.now() + timedelta(days=1), rule="")
    answer = sender.send()
    assert answer.status_code == 403
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["window"]
    assert Delivery.objects.get().refusal and not Execution.objects.exists()


def test_it_waits_for_the_approval_of_its_gate(transactional_db: None, sender: Sender) -> None:
    sender.send()
    made = Execution.objects.get()
    engine.advance(made.pk, "a worker")
    made.refresh_from_db()
    assert (made.state, made.waiting_for["code"]) == ("waiting", "approval")
    (request,) = get(token("operations-manager"), "approvals", state="open")["items"]
    assert (request["execution"], request["requested_by"]) == (str(made.pk), "ci")
    path, said = f"approvals/{request['id']}/decide", {"decision": "approve"}
    assert call(token("operations-lead"), "POST", path, said).status_code == 403  # saw the secret
    assert call(token("operations-manager"), "POST", path, said).json()["state"] == "approved"


def test_its_secret_is_encrypted_anew_with_the_newest_key(sender: Sender) -> None:
    former, newer = settings.SECRET_KEY, "the-newer-key-of-this-test"
    lost = pytest.raises(CommandError, match="Trigger ")
    with override_settings(SECRET_KEY=newer, SECRET_KEY_FALLBACKS=[]), lost:
        call_command("rotate_keys")
    with override_settings(SECRET_KEY=newer, SECRET_KEY_FALLBACKS=[former]):
        assert sender.send().status_code == 201
        call_command("rotate_keys")
    with override_settings(SECRET_KEY=newer, SECRET_KEY_FALLBACKS=[]):
        assert sender.send(delivery="two").status_code == 201


def test_who_was_shown_the_secret_does_not_approve_it(sender: Sender) -> None:
    sender.send()
    made = Execution.objects.get()
    involved = separation.involved(frozenset({made.pk}))[made.pk]
    assert involved[person("operations-lead").person] == separation.SET_UP
    assert involved[person("devops-engineer", "ci").person] == separation.ASKED


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        ({}, "TARGET_VERSION"),
        ({"release": {"tag": None}}, "TARGET_VERSION"),
        ({"release": {"tag": ["v1"]}}, "TARGET_VERSION"),
        ({"release": {"tag": "no version!"}}, "TARGET_VERSION"),
        ([], "TARGET_VERSION"),
        (b"{", ""),
        (b"NaN", ""),
        (b"[" * 30_000, ""),
        (b"\xff", ""),
    ],
)
def test_a_payload_that_does_not_fit_starts_nothing(
    payload: object, problem: str, sender: Sender
) -> None:
    answer = sender.send(payload)
    assert answer.status_code == 422, answer.content
    assert problem in [found["field"] for found in answer.json()["problems"]]
    assert not Execution.objects.exists()
    assert Delivery.objects.get().refusal


def test_a_large_payload_is_refused(sender: Sender) -> None:
    answer = sender.send({"x": "x" * deliveries.LARGEST})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_too_many_are_told_when_to_come_again(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "AT_MOST", 1)
    assert sender.send().status_code == 201
    answer = sender.send(delivery="two")
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")
    assert Execution.objects.count() == 1


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/release/tag", "v1.0.1"),
        ("/numbers/0", "1"),
        ("/numbers/1", "2.5"),
        ("/numbers/2", "true"),
        ("/a~1b/~0", "odd"),
    ],
)
def test_a_pointer_leads_to_a_value(pointer: str, value: str) -> None:
    assert deliveries._variables({"X": pointer}, PAYLOAD) == {"X": value}


@pytest.mark.parametrize(
    "pointer", ["", "/numbers", "/numbers/3", "/numbers/9", "/numbers/-1", "/no"]
)
def test_a_pointer_to_no_value_is_a_problem(pointer: str) -> None:
    with pytest.raises(Invalid):
        deliveries._variables({"X": pointer}, PAYLOAD)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"name": ""}, "name"),
        ({"environment": "nowhere"}, "environment"),
        ({"account": "operations-lead"}, "account"),
        ({"procedure": "nothing"}, "procedure"),
        ({"mapping": {"NOTHING": "/x"}}, "mapping"),
        ({"mapping": {"TARGET_VERSION": "x"}}, "mapping"),
    ],
)
def test_what_cannot_be_set_up(given: dict[str, object], problem: str, world: World) -> None:
    with pytest.raises(Invalid) as error:
        world.trigger(**given)
    assert problem in [found.field for found in error.value.problems]


def test_the_secret_is_shown_once_and_kept_encrypted(world: World) -> None:
    body = {
        "name": "Nightly",
        "runbook": "deployment",
        "procedure": "release",
        "environment": "development",
        "account": world.service().username,
        "mapping": "TARGET_VERSION = /release/tag",
    }
    client = world.client("operations-lead")
    page = client.post("/triggers/", body).content.decode()
    assert "The secret of “Nightly”" in page
    made = Trigger.objects.get()
    secret = page.split('class="cmd wrap">')[1].split("<")[0]
    assert Sender(made, secret).send().status_code == 201
    later = client.get(f"/triggers/{made.pk}/").content.decode()
    assert secret not in later and "Execution #" in later
    assert secret.encode() not in bytes(made.sealed)
    assert secret not in str(list(AuditEntry.objects.values_list("data", flat=True)))


def test_nobody_logs_in_as_a_service_account(world: World) -> None:
    body = {"username": "robot", "name": "Robot", "service": True}
    client = world.client("admin")
    made = client.post("/api/v1/accounts", body, content_type="application/json")
    assert (made.status_code, made.json()["password"]) == (201, "")
    assert not User.objects.get(username="robot").has_usable_password()
    assert client.post("/people/robot/password/").status_code == 409


def test_a_delivery_that_is_no_json_is_not_read(sender: Sender) -> None:
    answer = Client().post(f"/api/v1/triggers/{sender.trigger.pk}/deliver", {"a": "b"})
    assert (answer.status_code, answer.json()["code"]) == (415, "media")


def test_its_page_says_what_is_in_its_way_and_what_to_do(world: World) -> None:
    made, _secret = world.trigger()
    client = world.client("operations-lead")
    address = reverse("trigger", args=[made.pk])
    assert "A delivery would be refused now" not in client.get(address).content.decode()
    RoleGrant.objects.filter(user__username="ci").delete()
    page = client.get(address).content.decode()
    assert "A delivery would be refused now" in page
    (reason,) = get(token("operations-lead"), f"triggers/{made.pk}")["not_now"]
    assert escape(reason["text"]) in page and escape(reason["remedy"]) in page


def test_so_it_does_of_an_account_that_is_closed(world: World) -> None:
    made, _secret = world.trigger()
    User.objects.filter(username="ci").update(is_active=False)
    assert get(token("operations-lead"), f"triggers/{made.pk}")["not_now"]
