"""Starting by the API: what the page starts, with the same checks, and the same answer to the same key."""

import pytest

from cvdops.audit.models import AuditEntry
from cvdops.environments.models import Environment
from cvdops.executions.models import Execution
from tests.api.calls import call, token
from tests.cast import person
from tests.web.world import World


def body(**given: object) -> dict[str, object]:
    usual = {
        "runbook": "deployment",
        "procedure": "release",
        "environment": "development",
        "variables": {"TARGET_VERSION": "v1.0.1", "TOKEN": "only-for-this-test"},
        "reason": "a test",
        "checklist": "confirmed",
    }
    return {**usual, **given}


def test_a_start_answers_with_the_execution(world: World) -> None:
    answer = call(token("devops-engineer"), "POST", "executions", body())
    assert answer.status_code == 201, answer.content
    made = Execution.objects.get()
    said = answer.json()
    assert (said["id"], said["state"], said["reason"]) == (str(made.pk), "queued", "a test")
    assert said["variables"]["TARGET_VERSION"] == "v1.0.1"
    assert "only-for-this-test" not in answer.content.decode()
    assert [step["id"] for step in said["steps"]] == ["ask", "say"]
    assert made.requested_by == person("devops-engineer")
    entry = AuditEntry.objects.get(action="execution.start")
    assert entry.data["token"] == person("devops-engineer").tokens.get().pk


def test_a_session_names_no_token(world: World) -> None:
    client = world.client("devops-engineer")
    answer = client.post("/api/v1/executions", body(), content_type="application/json")
    assert answer.status_code == 201, answer.content
    assert "token" not in AuditEntry.objects.get(action="execution.start").data


def test_numbers_and_truths_are_the_texts_that_would_be_typed(world: World) -> None:
    given = body(variables={"TARGET_VERSION": 3, "TOKEN": 123456789})
    answer = call(token("devops-engineer"), "POST", "executions", given)
    assert answer.json()["variables"]["TARGET_VERSION"] == "3", answer.content


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"reason": None}, "reason"),
        ({"reason": "x" * 2001}, "reason"),
        ({"checklist": []}, "checklist"),
        ({"checklist": "yes"}, "checklist"),
        ({"variables": {"TARGET_VERSION": "nonsense"}}, "TARGET_VERSION"),
        ({"variables": {"TARGET_VERSION": ["v1"]}}, "variables"),
        ({"variables": {"TARGET_VERSION": 1.5}}, "variables"),
        ({"variables": {"TARGET_VERSION": "x" * 70_000}}, "variables"),
        ({"variables": {"TARGET_VERSION": "a\0b"}}, "variables"),
        ({"variables": {"NOBODY_KNOWS": "x"}}, "NOBODY_KNOWS"),
        ({"variables": {f"V{n}": "x" for n in range(300)}}, "variables"),
        ({"procedure": "nothing"}, "procedure"),
        ({"environment": "nowhere"}, "environment"),
        ({"environment": 1}, "environment"),
        ({"version": "1"}, "version"),
        ({"version": 1 << 40}, "version"),
        ({"in_window": "yes"}, "in_window"),
        ({"requested_by": "admin"}, "requested_by"),
        ({"state": "succeeded"}, "state"),
        ({"emergency": {"priority": "P1", "reason": "x", "approved": True}}, "emergency.approved"),
        ({"emergency": {"reason": "x", "notified_at": "2026-11-26T14:00"}}, "emergency"),
        ({"emergency": {"priority": "P5", "reason": "x"}}, "emergency.priority"),
    ],
)
def test_what_does_not_fit_starts_nothing(
    change: dict[str, object], field: str, world: World
) -> None:
    answer = call(token("devops-engineer"), "POST", "executions", body(**change))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), answer.content
    assert any(p["field"].startswith(field) for p in answer.json()["problems"]), answer.content
    assert not Execution.objects.exists()


def test_a_protected_environment_is_named_twice(world: World) -> None:
    Environment.objects.filter(pk="development").update(protected=True)
    text = token("devops-engineer")
    answer = call(text, "POST", "executions", body())
    assert [p["field"] for p in answer.json()["problems"]] == ["confirm_environment"]
    answer = call(text, "POST", "executions", body(confirm_environment="development"))
    assert answer.status_code == 201


def test_who_may_not_start_is_told_why(world: World) -> None:
    answer = call(token("developer"), "POST", "executions", body())
    assert (answer.status_code, answer.json()["code"]) == (403, "refused")
    assert answer.json()["reasons"][0]["remedy"]
    refused = AuditEntry.objects.get(allowed=False)
    assert (refused.action, refused.data["method"]) == ("execution.start", "POST")


def test_a_token_that_only_reads_starts_nothing(world: World) -> None:
    answer = call(token("devops-engineer", "read"), "POST", "executions", body())
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["scope"]
    assert not Execution.objects.exists()


def test_one_that_only_runs_starts_and_does_not_list(world: World) -> None:
    text = token("devops-engineer", "run")
    assert call(text, "POST", "executions", body()).status_code == 201
    assert call(text, "GET", "executions").status_code == 403


def test_unknown_and_invisible_runbooks_are_the_same(world: World) -> None:
    one = call(token("outsider"), "POST", "executions", body())
    other = call(token("devops-engineer"), "POST", "executions", body(runbook="nothing"))
    assert (one.status_code, one.content) == (404, other.content)
