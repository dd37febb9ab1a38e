"""What runs, by the API: the plan of an execution, a version of a runbook, and the words of an output."""

import pytest
from django.db.models.functions import Now

from cvdops.executions import helping
from cvdops.executions.models import Execution, OutputSegment, StepAttempt
from cvdops.executions.states import StepState, said
from cvdops.live import search
from tests.api.calls import call, get, token
from tests.cast import person
from tests.live.output import attempt, write
from tests.web.world import World


def test_the_plan_says_each_command_with_its_values_and_no_secret(world: World) -> None:
    given = {"TARGET_VERSION": "v1.0.1", "TOKEN": "only-for-this-test"}
    made = world.start(procedure="release", variables=given)
    found = get(token("developer"), f"executions/{made.pk}/plan")
    ask, say = found["steps"]
    assert found["plan_digest"] == made.plan_digest
    assert ask["body"] == ""
    assert say["body"] == 'echo "$TARGET_VERSION" "$SERVICE_NAME"\n'
    assert say["values"]["TARGET_VERSION"] == made.variables["TARGET_VERSION"]
    assert (say["hosts"], say["rollback"]) == (["practice"], "unsay")
    assert [step["id"] for step in found["rollback"]] == ["unsay"]
    assert "only-for-this-test" not in str(found)


def test_the_plan_of_what_one_does_not_see_is_not_there(world: World) -> None:
    path = f"executions/{world.start().pk}/plan"
    assert call(token("outsider"), "GET", path).status_code == 404


def test_a_version_has_its_text_and_commands(world: World) -> None:
    text = token("developer")
    newest = get(text, "runbooks/deployment/versions")["items"][0]["number"]
    found = get(text, f"runbooks/deployment/versions/{newest}")
    assert found["text"].startswith("---") and found["unread"] == ""
    say = next(step for step in found["steps"] if step["id"] == "say")
    assert say["body"] in found["text"]
    assert call(text, "GET", f"runbooks/deployment/versions/{newest + 1}").status_code == 404
    assert call(token("outsider"), "GET", "runbooks/deployment/versions/1").status_code == 404


def test_words_are_looked_for_in_the_output_of_a_step(execution: Execution) -> None:
    write(execution, attempt(execution), 0, b"one\nTwo\nthree two\n")
    person("developer")
    path = f"executions/{execution.pk}/steps/first/search"
    assert get(token("developer"), path, q="two") == {
        "total": 2,
        "offsets": [4, 8],
        "next_offset": 18,
        "complete": False,
        "until": None,
    }
    assert call(token("developer"), "GET", path).status_code == 422
    assert call(token("outsider"), "GET", path, q="two").status_code == 404


def test_it_is_said_up_to_where_they_were_looked_for(
    execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, text = f"executions/{execution.pk}/steps/first/search", token("developer")
    first = attempt(execution)

    def looked() -> tuple[int, bool, int | None]:
        found = get(text, path, q="two")
        return found["next_offset"], found["complete"], found["until"]

    assert looked() == (0, False, None)
    write(execution, first, 0, b"one\ntwo\n")
    assert looked() == (8, False, None)
    ended = StepAttempt.objects.filter(pk=first.pk)
    ended.update(finished_at=Now(), state="succeeded", output_size=8)
    assert looked() == (8, True, None)
    monkeypatch.setattr(search, "SECONDS", -1.0)
    assert looked() == (0, False, 0)
    OutputSegment.objects.all().delete()
    answer = call(text, "GET", path, q="two")
    assert (answer.status_code, answer.json()["code"]) == (410, "removed")


def test_the_audit_log_is_looked_through_as_on_its_page(world: World) -> None:
    made = world.start()
    text = token("auditor")
    found = get(text, "audit", action="execution.start", user="devops-engineer", allowed="true")
    assert [one["subject_id"] for one in found["items"]] == [str(made.pk)]
    assert {"number", "hash"} <= set(found["items"][0])
    assert get(text, "audit", subject=str(made.pk), user="auditor")["items"] == []
    assert get(text, "audit", until="2026-01-01T00:00:00Z")["items"] == []
    assert call(text, "GET", "audit", address="nowhere").status_code == 422


def test_no_program_is_asked_for_help(world: World) -> None:
    world.service()
    person("operations-lead")
    asked = helping.ask_for_help(person("developer"), "deployment", "development", "Please.")
    assert [one.username for one in asked] == ["operations-lead"]


def test_what_was_settled_is_not_asked_for_anew_and_nothing_is_said_of_a_decision(
    world: World,
) -> None:
    request, text = world.request(), token("operations-manager")
    call(text, "POST", f"approvals/{request}/decide", {"decision": "approve"})
    answer = call(text, "POST", f"approvals/{request}/renew", {})
    assert answer.status_code == 409
    assert "decision" not in answer.json()["detail"]


def test_each_state_ends_a_sentence() -> None:
    assert [said(state) for state in (StepState.WAITING, "rolling_back", StepState.TIMED_OUT)] == [
        "is waiting", "is rolling back", "has timed out",
    ]  # fmt: skip


def test_a_cancelled_execution_waits_for_nothing(world: World) -> None:
    made = world.start()
    call(token("devops-engineer"), "POST", f"executions/{made.pk}/cancel", {})
    [found] = get(token("developer"), "executions", state="cancelled")["items"]
    assert found["waiting_for"] is None
