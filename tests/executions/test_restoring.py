"""F24: a backup restored under executions that were under way."""

import re

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from cvdops.access import tokens
from cvdops.approvals.models import ApprovalRequest
from cvdops.audit.models import AuditEntry
from cvdops.executions import queues, recovery, restoring, services
from cvdops.executions.leases import HOLDS, claim
from cvdops.executions.models import Execution, StepAttempt
from cvdops.executions.transitions import Superseded
from cvdops.lib.errors import Conflict
from cvdops.lib.ids import uuid7
from tests.executions.scene import Scene
from tests.executions.test_control import leave_alone
from tests.executions.test_engine import block
from tests.executions.test_remains import has_begun, left
from tests.sshd import Sshd
from tests.waiting import until

SAY = "#### Say\n```bash {#say}\necho hello\n```\n"
GATE = "#### Gate\n```approval {#gate}\napprovers: [operations-manager]\n```\n"


def state(execution: Execution) -> str:
    execution.refresh_from_db()
    return execution.state


def begun(execution: Execution) -> StepAttempt:
    """As the backup shows it whose worker was in the middle of the step."""
    hold = claim(execution.pk, "lost")
    assert hold is not None
    HOLDS.remove(hold)  # it was held by another process
    step = execution.steps.get()
    execution.steps.update(state="running", attempt_count=1)
    return StepAttempt.objects.create(id=uuid7(), step=step, number=1, spool="a", boot_id="b")


def test_nothing_goes_on_by_itself(scene: Scene) -> None:
    scene.runbook(SAY)
    queued, running = scene.start(), scene.start()
    attempt = begun(running)
    report = restoring.hold_everything()
    assert (report.executions, report.steps) == (2, 1)
    assert [state(queued), state(running)] == ["paused", "paused"]
    assert scene.states(running) == {"say": "interrupted"}
    attempt.refresh_from_db()
    assert attempt.state == "interrupted" and attempt.finished_at
    assert recovery.due(["env.development"], 10) == []
    assert AuditEntry.objects.filter(action="restored").count() == 1


def test_the_page_says_why_and_a_person_resumes(scene: Scene) -> None:
    scene.runbook(SAY)
    execution = scene.start()
    restoring.hold_everything()
    client = Client()
    client.force_login(scene.person("devops-engineer"))
    page = client.get(f"/executions/{execution.pk}/").content.decode()
    assert "This database was restored from a backup of" in page
    assert "Paused: the database was restored from" in page
    services.resume(scene.person("devops-engineer"), execution.pk)
    assert scene.advance(execution).state == "succeeded"


def test_an_approval_of_before_is_void_and_asked_for_anew(scene: Scene) -> None:
    scene.runbook(GATE + SAY)
    execution = scene.run()
    before = scene.gate(execution)
    assert restoring.hold_everything().approvals == 1
    before.refresh_from_db()
    assert before.state == "void"
    services.resume(scene.person("devops-engineer"), execution.pk)
    assert scene.advance(execution).state == "waiting"
    scene.approve(execution)
    assert scene.advance(execution).state == "succeeded"
    assert ApprovalRequest.objects.count() == 2


@pytest.mark.parametrize("target", ["here", "far"])
@pytest.mark.parametrize("resumed", [False, True])
def test_a_cancel_ends_what_still_runs_of_a_step_that_nobody_has_looked_at(
    far: Scene, target: str, resumed: bool
) -> None:
    far.runbook(block("one", "echo hello; sleep 300", f"target={target}"))
    execution = far.start()
    leave_alone(execution, lambda: has_begun(execution))
    restoring.hold_everything()
    engineer = far.person("devops-engineer")
    if resumed:
        services.resume(engineer, execution.pk)
        assert far.advance(execution).waiting_for["code"] == "step"
    assert left(execution)
    services.cancel(engineer, execution.pk)
    assert state(execution) != "cancelled"
    assert far.advance(execution).state == "cancelled"
    assert left(execution) == set()
    step = far.steps(execution)["one"]
    assert step.state == "cancelled"
    assert step.note.startswith("It was cancelled; its processes are gone, verified.")
    assert far.output(execution, "one").startswith("hello\n")  # the shell may say how it ended


def forsaken(scene: Scene, target: str = "here") -> Execution:
    """Of which a step was left running by a restore; somebody is asked what is to become of it."""
    one = block("one", "echo hello; sleep 300", f"target={target} destructive rollback=undo")
    scene.runbook(one, block("undo", "echo undone", "target=here"))
    execution = scene.start()
    leave_alone(execution, lambda: has_begun(execution))
    restoring.hold_everything()
    services.resume(scene.person("devops-engineer"), execution.pk)
    assert scene.advance(execution).waiting_for["code"] == "step"
    return execution


def test_giving_up_ends_it_too_before_the_execution_has_failed(scene: Scene) -> None:
    execution = forsaken(scene)
    engineer = scene.person("devops-engineer")
    services.give_up(engineer, execution.pk)
    assert state(execution) == "waiting" and left(execution)
    with pytest.raises(Conflict, match=r"asked to give up already: Devops-Engineer was first"):
        services.retry(engineer, execution.pk, "one")
    assert recovery.due(["env.development"], 10) == [execution.pk]
    assert scene.advance(execution).state == "failed"
    assert left(execution) == set()
    assert execution.outcome == "Given up by Devops-Engineer. “one” interrupted."
    note = scene.steps(execution)["one"].note
    assert note.startswith("It was given up; its processes are gone, verified.")


@pytest.mark.parametrize("target", ["here", "far"])
def test_a_word_is_refused_while_it_runs_and_says_how_it_had_ended(
    far: Scene, server: Sshd, target: str
) -> None:
    go = server.login.home / "go"
    go.unlink(missing_ok=True)
    wait = f"echo hello; until test -e {go}; do sleep 0.02; done; exit 3"
    far.runbook(block("one", wait, f"target={target}") + block("two", "true"))
    execution, lead = far.start(), far.person("operations-lead")
    leave_alone(execution, lambda: has_begun(execution))
    restoring.hold_everything()
    services.resume(lead, execution.pk)
    far.advance(execution)
    services.settle(lead, execution.pk, "one", "I looked there.")
    assert far.advance(execution).waiting_for["code"] == "step"
    step = far.steps(execution)["one"]
    assert step.state == "interrupted"
    assert re.match(rf"It still runs on {target} \(process \d+\), so it was not marked", step.note)
    go.touch()
    until(lambda: not left(execution), what="its end")
    services.skip(lead, execution.pk, "one", "It is not needed.")
    assert far.advance(execution).state == "succeeded"
    step = far.steps(execution)["one"]
    assert (step.state, step.note) == (
        "skipped",
        "Skipped by Operations-Lead: It is not needed. "
        f"On {target} it had ended by itself, with exit code 3.",
    )
    entries = AuditEntry.objects.filter(action="execution.override")
    assert [(one.actor, one.data["verb"]) for one in entries] == [(lead, "skip")]


def test_a_rollback_waits_for_a_host_that_is_away(far: Scene, server: Sshd) -> None:
    execution = forsaken(far, "far")
    server.kill()
    services.roll_back(far.person("devops-engineer"), execution.pk)
    for _ in range(2):  # what was said to be in doubt is still looked for
        Execution.objects.filter(pk=execution.pk).update(due_at=execution.created_at)
        assert far.advance(execution).waiting_for["text"] == "Stop not confirmed on far"
    assert "undo" in far.states(execution) and far.states(execution)["undo"] == "pending"
    server.start()

    def looked_again() -> bool:
        Execution.objects.filter(pk=execution.pk).update(due_at=execution.created_at)
        return far.advance(execution).state == "rolled_back"

    until(looked_again, what="the rollback")
    assert left(execution) == set()
    note = far.steps(execution)["one"].note
    assert note.startswith("It was stopped for the rollback; its processes are gone, verified.")


def test_a_cancel_whose_host_is_away_after_a_restore_is_not_called_confirmed(
    far: Scene, server: Sshd
) -> None:
    far.runbook(block("one", "echo hello; sleep 300", "target=far"))
    execution = far.start()
    leave_alone(execution, lambda: has_begun(execution))
    restoring.hold_everything()
    server.kill()
    services.cancel(far.person("devops-engineer"), execution.pk)
    far.advance(execution)
    server.start()
    assert execution.waiting_for["text"] == "Cancel not confirmed on far"
    step = far.steps(execution)["one"]
    assert step.unconfirmed and "nobody knows whether it did" in step.note

    def looked_again() -> bool:
        Execution.objects.filter(pk=execution.pk).update(due_at=execution.created_at)
        return far.advance(execution).state == "cancelled"

    until(looked_again, what="the confirmation of the cancel")
    assert left(execution) == set()


def test_a_stop_that_was_not_confirmed_is_asked_for_by_nobody_any_more(scene: Scene) -> None:
    scene.runbook(SAY)
    execution = scene.start()
    begun(execution)
    execution.steps.update(state="interrupted", unconfirmed=True, note="It was asked to stop.")
    restoring.hold_everything()
    services.resume(scene.person("devops-engineer"), execution.pk)
    assert scene.advance(execution).waiting_for["code"] == "step"
    step = scene.steps(execution)["say"]
    assert (step.state, step.unconfirmed) == ("interrupted", False)
    assert step.note.startswith("The database was restored")


def test_a_worker_of_before_writes_nothing(scene: Scene) -> None:
    scene.runbook(SAY)
    execution = scene.start()
    hold = claim(execution.pk, "lost")
    assert hold is not None
    HOLDS.remove(hold)  # it was held by another process
    restoring.hold_everything()
    with pytest.raises(Superseded):
        hold.hand.change("note")


def test_everybody_is_logged_out(scene: Scene) -> None:
    client = Client()
    client.force_login(scene.person("developer"))
    assert restoring.hold_everything().sessions == 1
    assert client.get("/executions/").status_code == 302


def test_no_token_of_the_backup_opens_anything(scene: Scene) -> None:
    """One that was revoked after the backup would be good again."""
    text = tokens.make(scene.person("developer"), "ci", ["read"], 30)[1]
    restoring.hold_everything()
    assert tokens.bearer(f"Bearer {text}") is None


@pytest.mark.django_db
def test_it_is_refused_while_a_worker_lives() -> None:
    queues.seen("a", ["env.development"])
    with pytest.raises(CommandError, match="Stop all workers"):
        call_command("restored")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE executions_worker SET seen_at = now() - interval '1 minute'")
    call_command("restored")


def test_the_command_counts_in_words_that_fit(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.runbook(GATE)
    execution = scene.run()
    call_command("restored")
    counted = "1 execution paused, 0 steps interrupted, 1 approval void, 0 sessions ended."
    assert counted in capsys.readouterr().out
    step = execution.steps.get()
    assert (step.state, step.started_at) == ("pending", None)
