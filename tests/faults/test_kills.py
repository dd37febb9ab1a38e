"""F1: the worker's process group is killed at random moments: nothing lost, nothing twice."""

from time import monotonic, sleep

import pytest

from cvdops.environments.models import Host
from cvdops.executions.models import Execution
from tests.faults.rig import Rig, bury
from tests.waiting import until

STEPS = {
    "one": "",
    "two": "idempotent",
    "three": "target=far",
    "four": "target=far idempotent",
    "five": "",
    "six": "idempotent",
}


@pytest.mark.parametrize(
    ("kills", "executions"), [(6, 4), pytest.param(200, 50, marks=pytest.mark.faults)]
)
def test_kill_9_at_random_moments(rig: Rig, far: Host, kills: int, executions: int) -> None:
    rig.runbook(*(rig.step(key, attributes) for key, attributes in STEPS.items()))
    with rig.workers(2) as workers:
        started = rig.start(executions)
        for _ in range(kills):
            sleep(rig.chance.uniform(0.1, 0.6))
            bury(workers.kill(rig.chance.randrange(workers.count)))
        rig.settled(started)
    rig.truth(started)


@pytest.mark.faults
def test_what_a_killed_worker_held_goes_on_within_twenty_seconds(rig: Rig, far: Host) -> None:
    rig.runbook(rig.step("one", seconds=2), rig.step("two", "target=far", seconds=2))
    with rig.workers(2) as workers:
        started = rig.start(10)
        until(lambda: Execution.objects.filter(state="running").count() == len(started))
        for slot in (0, 1):
            workers.kill(slot)
        killed = monotonic()
        held = Execution.objects.filter(lease_token=1)
        until(lambda: not held.exists(), 20, "another worker for each")
        rig.settled(started, killed + 30 - monotonic())
    rig.truth(started)
