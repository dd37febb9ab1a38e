"""The names that scripts depend on: what each call of the contract takes and answers, field by field."""

import re
from typing import Any

import pytest
from django.test import Client

from cvdops.approvals.models import ApprovalRequest
from cvdops.executions.models import Execution
from tests.api.calls import ROOT, call, get, token
from tests.cast import person
from tests.web.world import World

EXECUTION = (
    "id url runbook version procedure environment state waiting_for requested_by reason plan_digest "
    "created_at started_at finished_at"
)
DETAIL = f"{EXECUTION} variables steps undo approvals checklists"
STEP = "id title section kind host state attempt exit_code started_at finished_at sample"
APPROVAL = "id execution gate requested_by groups expires_at plan_digest state"
START = {
    "runbook": "deployment",
    "procedure": "release",
    "environment": "development",
    "variables": {"TARGET_VERSION": "v1.0.1", "TOKEN": "only-for-this-test"},
    "reason": "a test",
    "checklist": "confirmed",
}
RFC3339_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def bare(text: str, path: str) -> Any:
    """POST without a body, and without a word about one, as `curl -X POST` does."""
    shown = {"authorization": f"Bearer {text}"}
    return Client().generic("POST", ROOT + path, b"", content_type="", headers=shown)


def lacking(found: Any, wanted: str) -> list[str]:
    return [name for name in wanted.split() if name not in found]


def test_a_start_answers_201_with_the_execution(world: World) -> None:
    answer = call(token("devops-engineer"), "POST", "executions", START)
    assert answer.status_code == 201, answer.content
    found = answer.json()
    assert lacking(found, DETAIL) == []
    assert all(lacking(step, STEP) == [] for step in found["steps"]) and found["steps"]
    assert get(token("developer"), f"executions/{found['id']}") == found
    assert (found["runbook"], found["requested_by"]) == ("deployment", "devops-engineer")
    assert RFC3339_UTC.fullmatch(found["created_at"]), found["created_at"]
    assert all(item["confirmed_at"] for item in found["checklists"])


def test_a_start_takes_every_field_of_the_contract(world: World) -> None:
    said = {**START, "confirm_environment": "", "emergency": None, "dry_run": False}
    assert call(token("devops-engineer"), "POST", "executions", said).status_code == 201
    answer = call(token("devops-engineer"), "POST", "executions", {**said, "dry_run": True})
    assert (answer.status_code, Execution.objects.count()) == (200, 1)


def test_a_key_makes_one_effect(world: World) -> None:
    text, key = token("devops-engineer"), {"idempotency-key": "one"}
    answers = [call(text, "POST", "executions", START, headers=key) for _ in range(2)]
    assert answers[0].status_code == answers[1].status_code == 201
    assert answers[0].content == answers[1].content
    assert Execution.objects.count() == 1


def test_the_list_of_executions(world: World) -> None:
    execution = world.start()
    filters = {
        "runbook": "deployment",
        "environment": "development",
        "state": "queued",
        "requested_by": "devops-engineer",
        "since": "2026-01-01T00:00:00Z",
        "q": "test",
        "cursor": "",
    }
    found = get(token("developer"), "executions", **filters)
    assert set(found) == {"items", "next_cursor"}
    assert [one["id"] for one in found["items"]] == [str(execution.pk)]
    assert lacking(found["items"][0], EXECUTION) == []


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "rollback"])
def test_controls_need_no_body(verb: str, world: World) -> None:
    execution = world.start()
    if verb == "resume":
        bare(token("devops-engineer"), f"executions/{execution.pk}/pause")
    answer = bare(token("devops-engineer"), f"executions/{execution.pk}/{verb}")
    # There is nothing that could be undone yet.
    assert answer.status_code == (409 if verb == "rollback" else 200), answer.content
    assert answer.status_code == 409 or lacking(answer.json(), DETAIL) == []


@pytest.mark.parametrize(
    ("verb", "without"),
    [("confirm", "items"), ("retry", ""), ("skip", "comment"), ("settle", "comment")],
)
def test_steps_take_the_fields_of_the_contract_or_none(
    verb: str, without: str, world: World
) -> None:
    """Of a step that has not begun: what is missing, else that it is too early."""
    path = f"executions/{world.start().pk}/steps/hello/{verb}"
    answer = bare(token("operations-lead"), path)
    assert [one["field"] for one in answer.json().get("problems", [])] == [without] * bool(without)
    said = {"comment": "so", "host": "practice"}
    answer = call(token("operations-lead"), "POST", path, said)
    assert answer.status_code == (422 if verb == "confirm" else 409), answer.content


def test_output_and_its_next_offset(world: World) -> None:
    path = f"executions/{world.start().pk}/steps/hello/output"
    answer = call(token("developer"), "GET", path, offset="0", host="practice")
    assert (answer.status_code, answer.content, answer["X-Next-Offset"]) == (200, b"", "0")


def test_approvals_and_deciding(world: World) -> None:
    request = world.request()
    text = token("operations-manager")
    (item,) = get(text, "approvals", state="open")["items"]
    assert lacking(item, APPROVAL) == [] and item["id"] == request
    said = {"decision": "approve", "comment": "read"}
    answer = call(text, "POST", f"approvals/{request}/decide", said)
    assert (answer.status_code, answer.json()["state"]) == (200, "approved"), answer.content
    assert lacking(answer.json(), APPROVAL) == []
    assert ApprovalRequest.objects.get().state == "approved"


def test_may_i(world: World) -> None:
    person("developer")
    asked = {
        "action": "execution.start",
        "runbook": "deployment",
        "environment": "development",
        "user": "developer",
        "at": "2026-12-01T12:00:00Z",
    }
    found = get(token("operations-lead"), "permissions/check", **asked)
    assert found["allowed"] is False
    assert all(set(reason) == {"code", "text", "remedy"} for reason in found["reasons"])
    assert found["reasons"]


@pytest.mark.parametrize(
    "path",
    ["runbooks", "runbooks/deployment/versions", "executions", "approvals", "audit"],
)
def test_lists_are_items_and_a_cursor(path: str, world: World) -> None:
    world.start()
    assert {"items", "next_cursor"} <= set(get(token("operations-lead"), path))


def test_the_description_is_where_it_is_said(world: World) -> None:
    assert get(token("developer"), "openapi.json")["openapi"].startswith("3.1")


def test_a_refusal_has_reasons_and_a_stable_code(world: World) -> None:
    answer = call(token("developer"), "POST", "executions", START)
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert answer.json()["code"] == "refused"
    assert answer.json()["reasons"]


def test_a_session_may_ask_too(world: World) -> None:
    assert world.client("developer").get(f"{ROOT}runbooks").status_code == 200
