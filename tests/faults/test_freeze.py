"""F3: a worker that was frozen past its lease, and is thawed when another one has taken over."""

from time import monotonic, sleep

import pytest
from django.db import connection

from cvdops.executions.attempts import LATE, LOOK, SLOW
from cvdops.executions.models import Execution
from tests.executions.test_engine import block
from tests.faults.rig import Rig, bury
from tests.faults.workers import Workers
from tests.waiting import until

TABLES = ("execution", "steprun", "stepattempt", "event", "outputsegment")
FROZEN = 45.0  # seconds: three times the lease


def rows() -> list[object]:
    """Everything that a worker could have changed."""
    found: list[object] = []
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT one::text FROM executions_{table} one ORDER BY 1")  # noqa: S608
            found += cursor.fetchall()
    return found


def ended(rig: Rig) -> bool:
    """Whether a step has, as its host says."""
    return any((rig.folder / "spool").glob("*/rc"))


def taken_over(workers: Workers, execution: Execution, frozen: int) -> int:
    """The other worker, as soon as it watches."""
    other = 1 - frozen
    until(lambda: workers.holder(execution) == other, what="another holder")
    until(lambda: workers.watches(other), what="its watch")
    return other


@pytest.mark.parametrize("wait", [False, pytest.param(True, marks=pytest.mark.faults)])
def test_a_thawed_worker_writes_nothing_and_leaves_the_step_alone(rig: Rig, wait: bool) -> None:
    go = rig.effects.folder / "go"
    script = rig.effects.script("one", seconds=0, lines=2)
    script = f"trap 'note term' TERM\n{script}\nuntil [ -e '{go}' ]; do sleep 0.05; done"
    rig.runbook(block("one", script), rig.step("two"))
    with rig.workers(2) as workers:
        [execution] = rig.start()
        frozen = workers.holder(execution)
        until(lambda: workers.watches(frozen), what="its watch")
        workers.freeze(frozen)
        sleep(FROZEN) if wait else bury(workers.owner(frozen))
        other = taken_over(workers, execution, frozen)
        workers.freeze(other)  # whatever changes now was changed by the thawed one
        since = monotonic()
        before = rows()
        workers.thaw(frozen)
        until(lambda: not workers.watches(frozen), what="the end of its watch")
        assert rows() == before
        go.touch()
        until(lambda: ended(rig) and monotonic() > since + LOOK + SLOW, what="a late end")
        workers.thaw(other)
        rig.settled([execution])
    assert rig.scene.steps(execution)["one"].note == LATE
    assert not [word for _, word in rig.effects.counted() if word == "term"]
    assert execution.events.filter(kind="execution.claim").count() == 2
    rig.truth([execution])
