"""Pause, resume, cancel, give up, retry, skip, mark as done, roll back: by people, on running work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Thread

import pytest
from django.db import IntegrityError, connections, transaction
from django.db.models.functions import Now
from pytest_django import Settings

from cvdops.executions import attempts, engine, leases, queries, recovery, services
from cvdops.executions.leases import HOLDS
from cvdops.executions.models import Event, Execution, StepAttempt
from cvdops.lib.errors import Conflict, Invalid, Refused
from tests.executions.scene import Scene
from tests.executions.test_engine import block
from tests.waiting import PATIENCE, until


@contextmanager
def at_work(execution: Execution) -> Iterator[None]:
    """A worker in a thread, which hears what is asked of it; gone when it is done.

    It has no pulse that would renew its lease, which lasts for as long as a test may wait instead.
    """

    def work() -> None:
        engine.advance(execution.pk, "thread")
        connections.close_all()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leases, "SECONDS", 10 * PATIENCE)
        thread = Thread(target=work, daemon=True)
        thread.start()
        yield
        until(
            lambda: leases.listen(HOLDS.all()) or not thread.is_alive(), what="the worker's leave"
        )
    execution.refresh_from_db()


def begun(scene: Scene, execution: Execution, key: str) -> None:
    until(lambda: scene.states(execution)[key] == "running", what=f"the start of {key}")


def leave_alone(execution: Execution, ready: Callable[[], object]) -> None:
    """A worker begins its step and leaves, once `ready` has returned."""
    try:
        with at_work(execution):
            ready()
            HOLDS.drain()
    finally:
        HOLDS.draining.clear()


def test_cancel_ends_the_running_step_and_starts_nothing_after_it(scene: Scene) -> None:
    scene.runbook(block("one", "sleep 60") + block("two", "true"))
    execution = scene.start()
    with at_work(execution):
        begun(scene, execution, "one")
        services.cancel(scene.person("devops-engineer"), execution.pk, "wrong release")
    assert execution.state == "cancelled"
    assert execution.outcome == "It was cancelled by Devops-Engineer."
    assert scene.states(execution) == {"one": "cancelled", "two": "pending"}
    assert "verified" in scene.steps(execution)["one"].note


def test_pause_lets_the_running_step_end(scene: Scene, tmp_path: Path) -> None:
    go = tmp_path / "go"
    scene.runbook(block("one", f"until test -e '{go}'; do sleep 0.05; done") + block("two", "true"))
    execution = scene.start()
    engineer = scene.person("devops-engineer")
    with at_work(execution):
        begun(scene, execution, "one")
        services.pause(engineer, execution.pk)
        go.touch()
    assert execution.state == "paused"
    assert scene.states(execution) == {"one": "succeeded", "two": "pending"}
    services.resume(engineer, execution.pk)
    assert scene.advance(execution).state == "succeeded"


def test_what_ended_while_nobody_looked_says_that_its_time_was_longer(
    scene: Scene, tmp_path: Path, settings: Settings
) -> None:
    go = tmp_path / "go"
    scene.runbook(block("one", f"until test -e '{go}'; do sleep 0.05; done; echo hello"))
    execution = scene.start()
    leave_alone(execution, lambda: begun(scene, execution, "one"))
    go.touch()
    attempt = StepAttempt.objects.get(step__execution=execution)
    until((settings.SPOOL_DIR / str(attempt.pk) / "rc").exists, what="its end")
    assert scene.advance(execution).state == "succeeded"
    assert scene.steps(execution)["one"].note == attempts.LATE
    assert scene.output(execution, "one") == "hello\n"


def test_a_pause_is_taken_back_before_the_step_ends(scene: Scene, tmp_path: Path) -> None:
    go = tmp_path / "go"
    scene.runbook(block("one", f"until test -e '{go}'; do sleep 0.05; done") + block("two", "true"))
    execution = scene.start()
    engineer = scene.person("devops-engineer")
    with at_work(execution):
        begun(scene, execution, "one")
        services.pause(engineer, execution.pk)
        assert leases.listen(HOLDS.all()) is None and HOLDS.all()[0].intent == "pause"
        execution.refresh_from_db()
        assert queries.controls(engineer, execution).resume.shown
        services.resume(engineer, execution.pk)
        go.touch()  # the worker has not heard of it: it looks before it pauses
    assert execution.state == "succeeded"


def test_drain_leaves_the_step_running_for_the_next_worker(scene: Scene, tmp_path: Path) -> None:
    go = tmp_path / "go"
    scene.runbook(block("one", f"until test -e '{go}'; do sleep 0.05; done; echo done"))
    execution = scene.start()
    leave_alone(execution, lambda: begun(scene, execution, "one"))
    assert (execution.state, scene.states(execution)["one"]) == ("queued", "running")
    go.touch()
    assert scene.advance(execution).state == "succeeded"
    assert scene.output(execution, "one") == "done\n"


def test_a_cancel_that_no_worker_is_needed_for_says_by_whom(scene: Scene) -> None:
    scene.runbook(block("one", "false"))
    execution = scene.run()
    services.cancel(scene.person("devops-engineer"), execution.pk)
    execution.refresh_from_db()
    assert (execution.state, execution.outcome) == (
        "cancelled",
        "It was cancelled by Devops-Engineer.",
    )


def test_what_was_cancelled_waits_for_nothing(scene: Scene) -> None:
    scene.runbook(block("one", "approvers: [operations-manager]", kind="approval"))
    execution = scene.advance(scene.start())
    assert execution.waiting_for["code"] == "approval"
    services.cancel(scene.person("devops-engineer"), execution.pk)
    execution.refresh_from_db()
    assert (execution.state, execution.waiting_for, execution.due_at) == ("cancelled", {}, None)
    with pytest.raises(IntegrityError, match="over_waits_for_nothing"), transaction.atomic():
        Execution.objects.update(waiting_for={"code": "approval"})


def test_a_step_that_is_to_run_again_shows_no_time_of_before(scene: Scene) -> None:
    scene.runbook(block("one", "true") + block("two", "exit 3"))
    execution = scene.run()
    services.retry(scene.person("devops-engineer"), execution.pk, "two")
    two = scene.steps(execution)["two"]
    assert (two.started_at, two.finished_at, two.exit_code) == (None, None, None)
    lead = scene.person("operations-lead")
    services.resume_from(lead, scene.advance(execution).pk, "one", "mended")
    for step in execution.steps.all():
        assert (step.state, step.started_at, step.finished_at) == ("pending", None, None)


def test_an_engineer_may_retry_but_not_skip(scene: Scene) -> None:
    scene.runbook(block("one", "false"))
    execution = scene.run()
    step = scene.steps(execution)["one"]
    engineer = scene.person("devops-engineer")
    with pytest.raises(Refused, match="needs Lead"):
        services.skip(engineer, execution.pk, step.pk, "it is known")
    services.retry(engineer, execution.pk, step.pk)
    assert scene.advance(execution).state == "waiting"


@pytest.mark.parametrize(("verb", "left"), [("skip", "skipped"), ("settle", "succeeded")])
def test_a_lead_goes_on_with_a_reason(scene: Scene, verb: str, left: str) -> None:
    scene.runbook(block("one", "false"))
    execution = scene.run()
    step, lead = scene.steps(execution)["one"], scene.person("operations-lead")
    with pytest.raises(Invalid, match="Say why"):
        getattr(services, verb)(lead, execution.pk, step.pk, " ")
    getattr(services, verb)(lead, execution.pk, step.pk, "done by hand")
    assert scene.advance(execution).state == "succeeded"
    assert scene.states(execution)["one"] == left


def test_give_up_is_a_failure_that_can_still_be_rolled_back(scene: Scene) -> None:
    steps = block("one", "true", "destructive rollback=undo") + block("two", "false")
    scene.runbook(steps, block("undo", "true"))
    execution = scene.run()
    engineer = scene.person("devops-engineer")
    services.give_up(engineer, execution.pk)
    execution.refresh_from_db()
    assert execution.state == "failed"
    services.roll_back(engineer, execution.pk)
    assert scene.advance(execution).state == "rolled_back"


def test_a_failed_rollback_step_stops_and_waits(scene: Scene) -> None:
    steps = block("one", "true", "destructive rollback=undo") + block("two", "false")
    scene.runbook(steps, block("undo", "exit 4"))
    execution = scene.run()
    services.roll_back(scene.person("devops-engineer"), execution.pk)
    assert scene.advance(execution).state == "waiting"
    assert scene.steps(execution)["undo"].exit_code == 4
    # what failed before it is told of, and not run again in the middle of the rollback
    with pytest.raises(Conflict, match="Its rollback has begun"):
        services.retry(scene.person("devops-engineer"), execution.pk, "two")


def test_there_is_nothing_to_roll_back_where_nothing_was_changed(scene: Scene) -> None:
    scene.runbook(block("one", "false"))
    execution = scene.run()
    with pytest.raises(Conflict, match="nothing to roll back"):
        services.roll_back(scene.person("devops-engineer"), execution.pk)
    execution.refresh_from_db()
    assert execution.state == "waiting"


def test_the_end_is_the_end(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    execution = scene.run()
    engineer = scene.person("devops-engineer")
    for verb in (services.pause, services.cancel, services.resume, services.give_up):
        with pytest.raises(Conflict):
            verb(engineer, execution.pk)
    execution.refresh_from_db()
    assert execution.state == "succeeded"


def test_a_refusal_says_how_it_stands_and_blames_nobody(scene: Scene) -> None:
    scene.runbook(block("gate", "approvers: [operations-manager]", kind="approval"))
    execution = scene.run()
    Event.objects.update(at=Now() - timedelta(hours=1))  # nobody has done anything lately
    engineer = scene.person("devops-engineer")
    with pytest.raises(Conflict) as refused:
        services.pause(engineer, execution.pk)
    waits = execution.waiting_for["text"]
    assert str(refused.value) == f"It cannot pause now. Execution {execution} is waiting: {waits}."
    services.cancel(engineer, execution.pk)
    Event.objects.update(at=Now() - timedelta(hours=1))
    with pytest.raises(Conflict) as refused:
        services.cancel(engineer, execution.pk)
    assert str(refused.value) == f"It cannot cancel now. Execution {execution} was cancelled."


def test_a_cancel_asked_for_while_it_began_to_wait_is_carried_out(scene: Scene) -> None:
    scene.runbook(block("gate", "approvers: [operations-manager]", kind="approval"))
    execution = scene.run()
    Execution.objects.filter(pk=execution.pk).update(intent="cancel")  # the worker had it still
    assert scene.advance(execution).state == "cancelled"


def test_a_second_press_of_cancel_is_told_so(scene: Scene) -> None:
    scene.runbook(block("one", "sleep 60"))
    execution = scene.start()
    engineer = scene.person("devops-engineer")
    with at_work(execution):
        begun(scene, execution, "one")
        services.cancel(engineer, execution.pk)
        with pytest.raises(Conflict, match="already"):
            services.cancel(engineer, execution.pk)
    assert execution.events.filter(kind="cancel.asked").count() == 1


def left_running(scene: Scene) -> Execution:
    """An execution whose worker drained while its step sleeps: queued, for the next worker."""
    scene.runbook(block("one", "sleep 60") + block("two", "true"))
    execution = scene.start()
    leave_alone(execution, lambda: begun(scene, execution, "one"))
    return execution


def test_a_cancel_while_no_worker_watches_ends_the_step_all_the_same(scene: Scene) -> None:
    execution = left_running(scene)
    services.cancel(scene.person("devops-engineer"), execution.pk)
    execution.refresh_from_db()
    assert execution.state == "queued"  # until a worker has seen the step's end
    assert scene.advance(execution).state == "cancelled"
    assert "verified" in scene.steps(execution)["one"].note


def poisoned(scene: Scene) -> Execution:
    """One that as many workers died on as may, and nothing of it runs."""
    scene.runbook(block("one", "true"))
    execution = scene.start()
    Execution.objects.filter(pk=execution.pk).update(lost_leases=leases.MAX_LOST)
    assert scene.advance(execution).waiting_for["code"] == "poisoned"
    return execution


def test_workers_that_die_on_it_are_not_tried_for_ever(scene: Scene) -> None:
    execution = poisoned(scene)
    assert scene.states(execution)["one"] == "pending"
    services.resume(scene.person("devops-engineer"), execution.pk)
    execution.refresh_from_db()
    assert (execution.state, execution.lost_leases) == ("queued", 0)
    assert scene.advance(execution).state == "succeeded"


def test_a_poisoned_execution_can_be_cancelled(scene: Scene) -> None:
    execution = poisoned(scene)
    services.cancel(scene.person("devops-engineer"), execution.pk)
    execution.refresh_from_db()
    assert execution.state == "cancelled"


def test_what_runs_is_watched_however_many_workers_died_on_it(scene: Scene) -> None:
    scene.runbook(block("one", "sleep 60", "timeout=1s") + block("two", "true"))
    execution = scene.start()
    leave_alone(execution, lambda: begun(scene, execution, "one"))
    Execution.objects.filter(pk=execution.pk).update(lost_leases=leases.MAX_LOST)
    assert scene.advance(execution).waiting_for["code"] == "step"
    assert scene.states(execution) == {"one": "timed_out", "two": "pending"}
    assert execution.lost_leases == 0  # its end is progress


@pytest.mark.parametrize(
    ("end", "state"), [(services.cancel, "cancelled"), (services.give_up, "failed")]
)
def test_what_runs_of_a_plan_that_was_changed_is_ended_and_nothing_else(
    scene: Scene, end: Callable[..., None], state: str
) -> None:
    execution = left_running(scene)
    Execution.objects.filter(pk=execution.pk).update(plan_digest="0" * 64)
    assert scene.advance(execution).waiting_for["code"] == "plan"
    one = scene.steps(execution)["one"]
    assert one.state == "interrupted"
    assert "it may still run on here. Cancel the execution" in one.note
    engineer, lead = scene.person("devops-engineer"), scene.person("operations-lead")
    controls = queries.controls(lead, execution)
    assert controls.cancel.shown and not controls.roll_back.shown and not controls.resume_from.shown
    assert not controls.step(one).retry.shown and not controls.step(one).settle.shown
    for verb in (services.retry, partial(services.settle, comment="why")):
        with pytest.raises(Conflict, match="was changed in the database: cancel it"):
            verb(lead, execution.pk, "one")
    end(engineer, execution.pk)
    assert scene.advance(execution).state == state
    assert "verified" in scene.steps(execution)["one"].note


@pytest.mark.parametrize(("lost", "pause"), [(1, 0), (2, 2), (3, 4), (4, 8), (6, 8)])
def test_the_next_worker_leaves_alone_what_others_died_on(
    scene: Scene, lost: int, pause: float
) -> None:
    """Those that died with it by chance come to their turn meanwhile."""
    scene.runbook(block("one", "true"))
    execution = scene.start()
    row, queue = Execution.objects.filter(pk=execution.pk), [execution.environment.queue]
    for after, due in ((pause - 0.5, []), (pause + 0.1, [execution.pk])):
        row.update(state="running", lost_leases=lost, lease_until=Now() - timedelta(seconds=after))
        assert recovery.due(queue, 10) == due
    assert scene.advance(execution).state == "succeeded"


def test_a_rollback_leaves_no_gate_open(scene: Scene) -> None:
    steps = block("one", "true", "destructive rollback=undo")
    gate = block("gate", "approvers: [operations-manager]", kind="approval")
    scene.runbook(steps + gate, block("undo", "true"))
    execution = scene.run()
    services.roll_back(scene.person("devops-engineer"), execution.pk)
    assert scene.advance(execution).state == "rolled_back"
    assert scene.states(execution)["gate"] == "cancelled"
