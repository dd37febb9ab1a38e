"""Participants, notes and the list after the end by the API; a start that waits for a supervisor; a dry run."""

import pytest

from cvdops.access.certification import Stage
from cvdops.audit.models import AuditEntry
from cvdops.executions.models import Execution, HostCheck
from tests.api.calls import call, get, token
from tests.api.test_starting import body
from tests.cast import certify, person
from tests.web.world import World


def test_people_join_hand_over_and_leave(world: World) -> None:
    path = f"executions/{world.start().pk}"

    def parts() -> list[tuple[str, str]]:
        found = get(token("developer"), f"{path}/participants")["items"]
        return [(p["user"], p["part"]) for p in found]

    call(token("system-admin"), "POST", f"{path}/join", {"part": "assistant"})
    assert parts() == [("devops-engineer", "operator"), ("system-admin", "assistant")]
    said = {"username": "operations-lead", "comment": "end of my shift"}
    call(token("operations-lead"), "POST", f"{path}/hand-over", said)
    assert ("operations-lead", "operator") in parts()
    assert call(token("system-admin"), "POST", f"{path}/leave", {}).status_code == 200
    assert parts() == [("operations-lead", "operator")]


def test_notes(world: World) -> None:
    path = f"executions/{world.start().pk}/notes"
    for text in ("one", "two"):
        assert call(token("system-admin"), "POST", path, {"text": text}).status_code == 201
    found = get(token("developer"), path)["items"]
    assert [(n["user"], n["text"]) for n in found] == [
        ("system-admin", "two"),
        ("system-admin", "one"),
    ]
    for text in ("", "x" * 4001, "a\0b"):
        assert call(token("system-admin"), "POST", path, {"text": text}).status_code == 422
    assert call(token("developer"), "POST", path, {"text": "x"}).status_code == 403


def test_a_start_under_supervision(world: World) -> None:
    certify(person("devops-engineer"), Stage.SUPERVISED)
    asked = {"action": "execution.start", "runbook": "deployment", "environment": "development"}
    found = get(token("devops-engineer"), "permissions/check", **asked)
    answer = call(token("devops-engineer"), "POST", "executions", body())
    assert answer.status_code == 201, answer.content
    waits = answer.json()["state"] == "pending"
    assert (found["allowed"], found["supervised"]) == (True, waits)
    assert waits
    path = f"executions/{answer.json()['id']}"
    call(token("operations-lead"), "POST", f"{path}/join", {"part": "supervisor"})
    assert get(token("developer"), path)["state"] == "queued"


def test_a_dry_run_starts_nothing(world: World) -> None:
    given = body(dry_run=True)
    answer = call(token("devops-engineer"), "POST", "executions", given)
    assert answer.status_code == 200, answer.content
    said = answer.json()
    assert said["dry_run"]
    assert [step["id"] for step in said["steps"]] == ["ask", "say"]
    assert [step["id"] for step in said["rollback"]] == ["unsay"]
    ask, say = said["steps"]
    assert (ask["body"], say["body"]) == ("", 'echo "$TARGET_VERSION" "$SERVICE_NAME"\n')
    assert say["values"]["TARGET_VERSION"] == "v1.0.1" and say["rollback"] == "unsay"
    assert said["variables"]["TARGET_VERSION"] == "v1.0.1"
    assert "only-for-this-test" not in answer.content.decode()
    assert [c["host"] for c in said["checks"]] == [c.host.name for c in HostCheck.objects.all()]
    assert said["checks"]
    assert not Execution.objects.exists()
    assert AuditEntry.objects.get(action="host.test", subject="runbook").data["verb"] == "dry_run"
    bad = body(dry_run=True, variables={"TARGET_VERSION": "nonsense"})
    assert call(token("devops-engineer"), "POST", "executions", bad).status_code == 422
    assert call(token("developer"), "POST", "executions", given).status_code == 403


@pytest.mark.parametrize("position", ["0", "5"])
def test_the_list_after_the_end_opens_with_the_end(world: World, position: str) -> None:
    path = f"executions/{world.start().pk}/after/{position}"
    assert call(token("devops-engineer"), "POST", path, {"comment": "x"}).status_code == 409


def test_the_review_of_an_emergency(world: World) -> None:
    path = f"executions/{world.emergency().pk}/emergency/review"
    answer = call(token("operations-lead"), "POST", path, {"review": "We learned."})
    assert answer.status_code == 200, answer.content
    about = answer.json()["emergency"]
    assert (about["priority"], about["declared_by"]) == ("P1", "night-lead")
    assert (about["review"], about["review_due"]) == ("We learned.", None)
    assert call(token("operations-lead"), "POST", path, {"review": "Again."}).status_code == 409
