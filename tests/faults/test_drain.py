"""Workers that are told to leave: they hand over at once, the steps go on, the next worker attaches."""

from cvdops.environments.models import Host
from cvdops.executions.models import Execution, StepAttempt, Worker
from tests.faults.rig import Rig
from tests.waiting import until

HANDED_OVER = (
    10.0  # seconds; two where the machine has time. A lease that it kept would last fifteen.
)


def running(rig: Rig, execution: Execution) -> bool:
    """Whether its step has begun on its host."""
    attempt = StepAttempt.objects.filter(step__execution=execution).first()
    return attempt is not None and rig.effects.counted()[str(attempt.pk), "begin"] == 1


def owner(execution: Execution) -> str:
    return Execution.objects.values_list("lease_owner", flat=True).get(pk=execution.pk)


def drained(rig: Rig) -> None:
    """Its worker is told to leave in the middle of a step, which ends as if nothing had happened."""
    with rig.workers() as workers:
        [execution] = rig.start()
        until(lambda: running(rig, execution), what="the step")
        first = workers.owner(0)
        workers.drain(0)
        until(lambda: owner(execution) != first, HANDED_OVER, "the lease given back")
        assert Worker.objects.get(name=first)
        until(lambda: Worker.objects.get(name=first).left_at, HANDED_OVER, "its word that it left")
        rig.settled([execution])
        assert execution.steps.get().attempts.count() == 1
    rig.truth([execution])


def test_a_local_step_outlives_its_worker(rig: Rig) -> None:
    rig.runbook(rig.step("one", seconds=2.5))
    drained(rig)


def test_a_step_over_ssh_outlives_its_worker(rig: Rig, far: Host) -> None:
    rig.runbook(rig.step("one", "target=far", seconds=2.5))
    drained(rig)


def test_a_worker_with_too_much_memory_hands_over(rig: Rig) -> None:
    rig.runbook(rig.step("one", seconds=1.0))
    with rig.workers(CVDOPS_WORKER_MEMORY="1") as workers:
        first = workers.pids[0]
        until(lambda: workers.pids[0] != first, what="another worker")
        assert "more than CVDOPS_WORKER_MEMORY" in workers.log.read_text()
