"""Deciding by the API: as on the page, with the digest of what was read."""

import json

import pytest

from cvdops.approvals.models import ApprovalRequest, Decision
from cvdops.audit.models import AuditEntry
from cvdops.environments.models import EnvironmentVariable
from tests.api.calls import call, get, token
from tests.cast import person
from tests.web.world import World


@pytest.fixture
def path(world: World) -> str:
    return f"approvals/{world.request()}/decide"


def body(**given: object) -> dict[str, object]:
    digest = ApprovalRequest.objects.get().plan_digest
    return {"decision": "approve", "plan_digest": digest, **given}


def test_approving_lets_it_go_on(world: World, path: str) -> None:
    answer = call(token("operations-manager"), "POST", path, body(comment="fine"))
    assert answer.status_code == 200, answer.content
    assert answer.json()["state"] == "approved"
    assert answer.json()["groups"] == [
        {"approvers": ["operations-manager"], "required": 1, "missing": 0}
    ]
    (said,) = answer.json()["decisions"]
    assert (said["user"], said["decision"], said["comment"]) == (
        "operations-manager",
        "approve",
        "fine",
    )
    entry = AuditEntry.objects.get(action="approval.decide")
    assert entry.actor == person("operations-manager")


def test_rejecting_needs_a_reason(world: World, path: str) -> None:
    text = token("operations-manager")
    answer = call(text, "POST", path, body(decision="reject"))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert [p["field"] for p in answer.json()["problems"]] == ["comment"]
    answer = call(text, "POST", path, body(decision="reject", comment="not today"))
    assert answer.json()["state"] == "rejected"


def test_a_decision_counts_once(world: World, path: str) -> None:
    text, said = token("operations-manager"), body()
    assert [call(text, "POST", path, said).status_code for _ in range(2)] == [200, 409]
    assert Decision.objects.count() == 1


def test_a_digest_of_something_else_decides_nothing(world: World, path: str) -> None:
    answer = call(token("operations-manager"), "POST", path, body(plan_digest="0" * 64))
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert not Decision.objects.exists()


def test_what_has_changed_since_is_asked_for_anew(world: World, path: str) -> None:
    said = body()
    EnvironmentVariable.objects.filter(environment="development", name="SERVICE_NAME").update(
        value="other"
    )
    answer = call(token("operations-manager"), "POST", path, said)
    assert answer.status_code == 409
    assert not Decision.objects.exists()
    assert set(ApprovalRequest.objects.values_list("state", flat=True)) == {"void", "open"}


@pytest.mark.parametrize(
    "change",
    [
        {"plan_digest": None},
        {"plan_digest": ""},
        {"decision": "maybe"},
        {"verdict": "approve"},
        {"comment": 7},
        {"comment": "a\0b"},
        {"comment": "\ud800"},
        {"comment": "x" * 2001},
    ],
)
def test_a_body_that_does_not_fit_decides_nothing(
    change: dict[str, object], world: World, path: str
) -> None:
    answer = call(token("operations-manager"), "POST", path, body(**change))
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert [p["field"] for p in answer.json()["problems"]] == list(change)
    assert not Decision.objects.exists()


def test_without_a_digest_the_request_names_the_plan(world: World, path: str) -> None:
    said = {"decision": "approve", "comment": "read"}
    answer = call(token("operations-manager"), "POST", path, said)
    assert (answer.status_code, answer.json()["state"]) == (200, "approved"), answer.content


def test_without_a_digest_what_has_changed_is_asked_for_anew_too(world: World, path: str) -> None:
    known = EnvironmentVariable.objects.filter(environment="development", name="SERVICE_NAME")
    known.update(value="other")
    answer = call(token("operations-manager"), "POST", path, {"decision": "approve"})
    assert (answer.status_code, Decision.objects.count()) == (409, 0)


@pytest.mark.parametrize("sent", ["{", "[" * 100_000, b"\xff"])
def test_what_is_no_json_is_said_to_be_none(sent: object, world: World, path: str) -> None:
    answer = call(token("operations-manager"), "POST", path, sent)
    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable")


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "text/plain", "application/x-www-form-urlencoded", ""]
)
def test_a_form_decides_nothing(kind: str, world: World, path: str) -> None:
    said = json.dumps(body())
    answer = world.client("operations-manager").post(f"/api/v1/{path}", said, content_type=kind)
    assert answer.status_code in {400, 415}, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert not Decision.objects.exists()


def test_a_body_that_is_too_large_is_not_read(world: World, path: str) -> None:
    answer = call(token("operations-manager"), "POST", path, body(comment="x" * (2 << 20)))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_unknown_and_forbidden_are_the_same(world: World, path: str) -> None:
    text, said = token("outsider"), body()
    nothing = "approvals/019ab000-0000-7000-8000-000000000000/decide"
    one, other = (call(text, "POST", address, said) for address in (path, nothing))
    assert (one.status_code, one.content) == (404, other.content)


def test_the_open_ones_are_listed(world: World, path: str) -> None:
    text = token("operations-manager")
    (item,) = get(text, "approvals", state="open")["items"]
    assert item["id"] in path
    assert (item["gate"], item["requested_by"], item["state"]) == ("ask", "devops-engineer", "open")
    assert item["plan_digest"] == ApprovalRequest.objects.get().plan_digest
    assert item["expires_at"].endswith("Z")
    assert get(text, "approvals", state="approved") == {"items": [], "next_cursor": ""}
    assert get(token("outsider"), "approvals")["items"] == []
