"""The watcher is killed at a random moment around a start; the next one finds out what happened."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cvdops.runners.job import AlreadyClaimed, Handle, Job, Presence
from cvdops.runners.local import LocalTransport
from tests.runners.bench import Bench, follow
from tests.waiting import until

WATCHER = """
import sys
from pathlib import Path
from cvdops.runners.job import Job
from cvdops.runners.local import LocalTransport
job = eval(sys.stdin.readline())
print(flush=True)
LocalTransport(Path(sys.argv[1])).start(job)
input()
"""


def start_and_kill(spool: Path, job: Job) -> None:
    """A start takes about 5 ms: the watcher dies before, during or after it."""
    with subprocess.Popen(
        [sys.executable, "-S", "-c", WATCHER, str(spool)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as watcher:
        watcher.stdin.write(f"{job!r}\n")
        watcher.stdin.flush()
        watcher.stdout.readline()
        end = time.perf_counter() + random.uniform(0, 0.012)  # noqa: S311
        while time.perf_counter() < end:
            pass
        watcher.kill()


def take_over(transport: LocalTransport, job: Job) -> Handle:
    found = transport.attach(job.attempt)
    assert found.presence is not Presence.VANISHED
    if found.presence is Presence.ABSENT:
        try:
            return transport.start(job)
        except AlreadyClaimed:  # the child of the killed watcher was late, and first all the same
            return transport.attach(job.attempt).handle
    return found.handle


@pytest.mark.parametrize("kills", [20, pytest.param(100, marks=pytest.mark.faults)])
def test_every_job_starts_exactly_once(tmp_path: Path, kills: int) -> None:
    spool, effects = tmp_path / "spool", tmp_path / "effects"
    transport = LocalTransport(spool)
    transport.spool()
    jobs = [
        Bench(transport).job(f"echo $CVDOPS_ATTEMPT >>'{effects}'; echo done") for _ in range(kills)
    ]
    for job in jobs:
        start_and_kill(spool, job)
        assert follow(take_over(transport, job))[1] == b"done\n"
    until(lambda: len(effects.read_text().split()) >= kills)
    assert sorted(effects.read_text().split()) == sorted(job.attempt for job in jobs)
