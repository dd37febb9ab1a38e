"""F22: a new version is put in place while executions run: old workers leave, new ones go on."""

import time

import pytest
from django.db import connection

from cvdops.executions.models import Execution
from cvdops.stack.process import identify
from tests.faults.rig import Rig
from tests.faults.workers import Workers
from tests.waiting import until

COLUMN = "deployed_later"


@pytest.fixture
def migrated(transactional_db: None):
    """A table gets the column of a new version, under the hands of the old one."""

    def migrate() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE executions_execution ADD COLUMN {COLUMN} text DEFAULT ''")

    yield migrate
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE executions_execution DROP COLUMN IF EXISTS {COLUMN}")


def leave(workers: Workers, slot: int) -> float:
    """Ask a worker to leave; seconds until it held nothing any more."""
    owner, began = workers.owner(slot), time.monotonic()
    old = identify(workers.drain(slot))
    held = Execution.objects.filter(lease_owner=owner)
    until(lambda: not held.exists(), what="a worker that holds nothing")
    seconds = time.monotonic() - began
    until(lambda: old is None or not old.alive(), what="the end of its process")
    return seconds


@pytest.mark.parametrize(
    ("executions", "times", "leaves"),
    [(5, 1, 10.0), pytest.param(20, 6, 2.0, marks=pytest.mark.faults)],
)
def test_a_deploy_loses_nothing(
    rig: Rig, migrated, executions: int, times: int, leaves: float
) -> None:
    """`leaves`: seconds until a worker holds nothing. A lease that it kept would last fifteen."""
    rig.runbook(rig.step("one", seconds=1), rig.step("two", "idempotent", seconds=1))
    with rig.workers(2) as workers:
        started = rig.start(executions)
        until(
            lambda: not Execution.objects.filter(started_at=None).exists(), what="the first steps"
        )
        migrated()
        seconds = [leave(workers, slot) for _ in range(times) for slot in (0, 1)]
        rig.settled(started, 60)
    assert max(seconds) <= leaves
    assert not Execution.objects.exclude(lost_leases=0).exists()
    rig.truth(started)
