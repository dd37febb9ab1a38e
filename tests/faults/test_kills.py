"""F1: the worker's process group is killed at random moments: nothing lost, nothing twice."""

from time import sleep

import pytest

from cvdops.environments.models import Host
from tests.faults.rig import Rig, bury

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
