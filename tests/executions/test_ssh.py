"""Steps on a host behind SSH: the same promises, and the truth about a host that does not answer."""

from collections.abc import Iterator

import pytest
from django.db.models.functions import Now

from cvdops.environments.models import Host
from cvdops.executions import services
from cvdops.executions.finishing import UNSEEN
from cvdops.executions.leases import HOLDS, UNCONFIRMED
from cvdops.executions.models import Execution, StepAttempt
from cvdops.executions.recovery import due
from cvdops.executions.states import StepEvent
from cvdops.executions.transitions import DatabaseNow, Hand
from cvdops.live import timeline
from cvdops.web.live import waiting
from tests.executions.scene import Scene
from tests.executions.test_control import at_work, begun, leave_alone
from tests.executions.test_engine import block
from tests.sshd import Sshd
from tests.waiting import until


def test_a_step_runs_there_and_its_session_goes_on(far: Scene, server: Sshd) -> None:
    far.runbook(
        block("one", "NAME=$(id -un); cd /usr", "target=far")
        + block("two", 'echo "${NAME} $(pwd)"', "target=far")
    )
    assert far.output(far.run(), "two") == f"{server.login.user} /usr\n"


def test_nothing_of_the_portals_environment_gets_there(far: Scene) -> None:
    far.runbook(block("one", "env", "target=far"))
    text = far.output(far.run(), "one")
    assert "DATABASE_URL" not in text
    assert "SECRET_KEY" not in text


def test_a_cancelled_step_is_gone_there(far: Scene) -> None:
    far.runbook(block("one", "sleep 60", "target=far"))
    execution = far.start()
    with at_work(execution):
        begun(far, execution, "one")
        services.cancel(far.person("devops-engineer"), execution.pk)
    assert execution.state == "cancelled"
    assert "verified" in far.steps(execution)["one"].note


def test_a_cut_connection_neither_loses_nor_repeats_anything(far: Scene, server: Sshd) -> None:
    script = "for i in $(seq 1 60); do echo line $i; sleep 0.02; done; echo ran >> ~/ran"
    far.runbook(block("one", script, "target=far"))
    execution = far.start()
    with at_work(execution):
        begun(far, execution, "one")
        server.restart()
    assert execution.state == "succeeded"
    assert far.output(execution, "one") == "".join(f"line {n}\n" for n in range(1, 61))
    assert (server.login.home / "ran").read_text() == "ran\n"


def test_an_idempotent_step_is_sent_again_into_a_spool_that_was_emptied(far: Scene) -> None:
    script = (
        "test -e ~/once || { touch ~/once; mv ~/.cvdops/spool ~/gone; rm -r ~/gone; sleep 0.2; }"
    )
    far.runbook(block("one", script, "target=far idempotent"))
    execution = far.run()
    step = far.steps(execution)["one"]
    assert (execution.state, step.attempt_count) == ("succeeded", 2)
    again = execution.events.get(kind="step.try_again")
    assert "is another one than that of the step: it was emptied" in again.data["note"]


def test_a_stop_that_nobody_saw_is_not_called_cancelled(far: Scene, server: Sshd) -> None:
    far.runbook(block("one", "echo first; sleep 300", "target=far"))
    execution = far.start()
    with at_work(execution):
        begun(far, execution, "one")
        until(lambda: far.output(execution, "one"), what="its output: it has begun there")
        server.kill()
        services.cancel(far.person("devops-engineer"), execution.pk)
    assert execution.state == "waiting"
    assert execution.waiting_for["text"] == "Cancel not confirmed on far"
    server.start()

    def looked_again() -> bool:
        Execution.objects.filter(pk=execution.pk).update(due_at=execution.created_at)
        return far.advance(execution).state == "cancelled"

    until(looked_again, what="the confirmation of the cancel")
    assert "verified" in far.steps(execution)["one"].note


def test_a_stop_that_nobody_saw_is_looked_after_in_its_time_and_told_once(
    far: Scene, server: Sshd
) -> None:
    far.runbook(block("one", "echo first; sleep 300", "target=far"))
    execution = far.start()
    with at_work(execution):
        begun(far, execution, "one")
        until(lambda: far.output(execution, "one"), what="its output: it has begun there")
        server.kill()
        services.cancel(far.person("devops-engineer"), execution.pk)
    token, since = execution.lease_token, waiting.read(execution, ()).since
    assert not due(["env.development"], 9)
    assert far.advance(execution).lease_token == token
    Execution.objects.filter(pk=execution.pk).update(due_at=execution.created_at)
    assert far.advance(execution).lease_token == token + 1
    server.start()
    assert (execution.state, waiting.read(execution, ()).since) == ("waiting", since)
    assert (
        len(
            [
                e
                for e in timeline.told(timeline.events(execution.pk))[0]
                if "not confirmed" in e.text
            ]
        )
        == 1
    )


def left_in_doubt(far: Scene, server: Sshd) -> Execution:
    """Its time was up at the moment at which its host went away: nobody saw whether it stopped."""
    far.runbook(block("one", "echo first; sleep 300", "target=far timeout=60s"))
    execution = far.start()

    def ready() -> None:
        begun(far, execution, "one")
        until(lambda: far.output(execution, "one"), what="its output: it has begun there")

    leave_alone(execution, ready)
    server.kill()
    step, event = far.steps(execution)["one"], StepEvent.INTERRUPT
    hand = Hand(execution.pk)
    hand.step(step.pk, event, {UNSEEN: 1}, unconfirmed=True, finished_at=DatabaseNow)
    StepAttempt.objects.filter(step=step).update(state="interrupted", finished_at=Now())
    waiting = {"code": UNCONFIRMED, "text": "", "step": "one"}
    gone = {"state": "waiting", "lease_until": None, "lease_owner": ""}
    Execution.objects.filter(pk=execution.pk).update(waiting_for=waiting, **gone)
    return execution


@pytest.fixture
def timed_out_unseen(far: Scene, server: Sshd) -> Iterator[Execution]:
    try:
        yield left_in_doubt(far, server)
    finally:
        server.restart()


def once_more(far: Scene, execution: Execution) -> Execution:
    """What a worker makes of it when its time has come."""
    Execution.objects.filter(pk=execution.pk).update(due_at=execution.created_at)
    return far.advance(execution)


def test_a_step_whose_time_was_up_unseen_is_timed_out_and_no_cancel(
    far: Scene, server: Sshd, timed_out_unseen: Execution
) -> None:
    execution = timed_out_unseen
    text = once_more(far, execution).waiting_for["text"]
    assert (execution.state, text) == ("waiting", "Stop not confirmed on far")
    server.start()
    until(
        lambda: far.steps(once_more(far, execution))["one"].state == "timed_out",
        what="the confirmation of the stop",
    )
    note = "It did not end within 60 s; its processes are gone, verified."
    assert execution.state == "waiting"
    assert far.steps(execution)["one"].note.startswith(note)


def test_a_lead_settles_it_as_timed_out(
    far: Scene, server: Sshd, timed_out_unseen: Execution
) -> None:
    execution = timed_out_unseen
    server.start()
    services.settle(far.person("operations-lead"), execution.pk, "one", "looked there")
    step = far.steps(far.advance(execution))["one"]
    assert (execution.state, step.state) == ("waiting", "timed_out")
    assert "Its time was up. Settled by" in step.note


def test_it_can_be_cancelled_too_which_waits_for_the_host(
    far: Scene, server: Sshd, timed_out_unseen: Execution
) -> None:
    execution = timed_out_unseen
    services.cancel(far.person("devops-engineer"), execution.pk)
    assert once_more(far, execution).waiting_for["text"] == "Cancel not confirmed on far"
    server.start()
    until(lambda: once_more(far, execution).state == "cancelled", what="the cancel")


def test_a_host_that_is_away_fails_the_step_before_it_begins(far: Scene, server: Sshd) -> None:
    far.runbook(block("one", "true", "target=far"))
    server.kill()
    try:
        execution = far.run()
    finally:
        server.start()
    step = far.steps(execution)["one"]
    assert (execution.state, step.state, step.attempt_count) == ("waiting", "failed", 0)
    assert "cannot be reached" in step.note


def test_keys_that_changed_after_the_plan_stop_the_step(far: Scene) -> None:
    far.runbook(block("one", "true", "target=far"))
    execution = far.start()
    Host.objects.get(name="far").keys.update(fingerprint="SHA256:other")
    far.advance(execution)
    assert "were changed" in far.steps(execution)["one"].note


def test_keys_that_changed_while_it_ran_leave_the_step_interrupted(far: Scene) -> None:
    far.runbook(block("one", "echo first; sleep 300", "target=far"))
    execution = far.start()
    try:
        with at_work(execution):
            begun(far, execution, "one")
            until(lambda: far.output(execution, "one"), what="its output")
            HOLDS.drain()
    finally:
        HOLDS.draining.clear()
    Host.objects.get(name="far").keys.update(fingerprint="SHA256:other")
    far.advance(execution)
    step = far.steps(execution)["one"]
    assert (step.state, step.attempts.get().state) == ("interrupted", "interrupted")
    assert "how far it came" in step.note


def sent_then_rekeyed(far: Scene, attributes: str = "", **fields: object) -> Execution:
    """A worker sent the step and was lost; then somebody confirmed another key of the host."""
    far.runbook(block("one", "touch ~/twice", f"target=far {attributes}"))
    execution = far.start()
    step = execution.steps.get()
    step.attempts.create(number=1, spool="a", boot_id="b")
    execution.steps.update(state="running", attempt_count=1, tries=1)
    lost = {"state": "running", "lease_until": execution.created_at, **fields}
    Execution.objects.filter(pk=execution.pk).update(**lost)
    Host.objects.get(name="far").keys.update(fingerprint="SHA256:other")
    return far.advance(execution)


def test_not_even_an_idempotent_one_is_sent_again_by_itself(far: Scene) -> None:
    execution = sent_then_rekeyed(far, "idempotent retry=3")
    step = far.steps(execution)["one"]
    assert (execution.state, step.state) == ("waiting", "interrupted")
    services.retry(far.person("devops-engineer"), execution.pk, "one")
    step = far.steps(far.advance(execution))["one"]
    assert (step.state, step.attempt_count) == ("failed", 1)


def test_a_cancel_of_it_is_not_called_confirmed(far: Scene) -> None:
    execution = sent_then_rekeyed(far, intent="cancel")
    assert execution.waiting_for["text"] == "Cancel not confirmed on far"
    services.settle(far.person("operations-lead"), execution.pk, "one", "looked at the console")
    assert far.advance(execution).state == "cancelled"
