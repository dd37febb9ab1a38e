"""F17: workers whose clock is wrong, or jumps. Leases, times and order follow the database's clock."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from cvdops.executions.models import Execution
from cvdops.stack.portal import PROJECT
from tests.faults.rig import Rig
from tests.faults.workers import database_url, workers
from tests.nursery import Nursery
from tests.waiting import PATIENCE

LIBRARY = "/usr/$LIB/faketime/libfaketimeMT.so.1"  # the loader knows where $LIB is


def wrong(clock: Path) -> dict[str, str]:
    """The environment of a worker whose clock is as the file says; as everywhere the monotonic one is not."""
    return {
        "LD_PRELOAD": LIBRARY,
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


@dataclass
class Clock:
    """What a file says, for the processes of a nursery of its own."""

    file: Path
    nursery: Nursery


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clock]:
    file = tmp_path_factory.mktemp("clock") / "clock"
    file.write_text("+0")
    nursery = Nursery(**wrong(file))
    yield Clock(file, nursery)
    nursery.close()


def jumping(rig: Rig, clock: Clock, jumps: list[str], executions: int, seconds: float) -> None:
    """A worker whose clock jumps while steps run: nobody loses a lease, and times are the database's."""
    clock.file.write_text(jumps[0])
    rig.runbook(rig.step("one", seconds=seconds), rig.step("two", seconds=seconds))
    with workers(rig.folder, parent=clock.nursery, **wrong(clock.file)) as jumpy:
        assert "faketime" in Path(f"/proc/{jumpy.pids[0]}/maps").read_text()
        started = rig.start(executions)
        for jump in jumps[1:]:
            time.sleep(len(started) * 2 * seconds / len(jumps))
            clock.file.write_text(jump)
        rig.settled(started)
    for execution in Execution.objects.filter(pk__in=[one.pk for one in started]):
        assert execution.lease_token == 1, "its lease was lost"
        assert execution.created_at <= execution.started_at <= execution.finished_at
        assert execution.finished_at - execution.created_at < timedelta(minutes=1)
    rig.truth(started)


def test_a_worker_whose_clock_jumps_by_a_day(rig: Rig, clock: Clock) -> None:
    jumping(rig, clock, ["+1d", "-1d"], executions=1, seconds=0.8)


@pytest.mark.faults
def test_a_worker_whose_clock_steps_all_the_time(rig: Rig, clock: Clock) -> None:
    jumps = ["+1h", "-1h", "+1d", "-1d", "+0"] * 3
    jumping(rig, clock, jumps, executions=3, seconds=10.0)


def test_doctor_names_a_clock_that_is_wrong(rig: Rig) -> None:
    clock = rig.folder / "clock"
    clock.write_text("+1h")
    environment = {**os.environ, "DATABASE_URL": database_url(), **wrong(clock)}
    command = [sys.executable, "manage.py", "doctor", "--json"]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, cwd=PROJECT, timeout=2 * PATIENCE
    )
    found = {one["name"]: one for one in json.loads(done.stdout)["findings"]}
    assert found["clock"]["state"] == "warning" and "differ by 3600 s" in found["clock"]["found"]
