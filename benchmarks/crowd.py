"""200 executions in progress on one worker, and how soon the next worker goes on after a kill -9."""

import os
import signal
import time
from pathlib import Path

from benchmarks import steps
from benchmarks.figures import Figure, median
from benchmarks.system import System, memory

CROWD = 200
TICKS = "for n in {1..300}; do echo $n; sleep 0.1; done"


def publish(folder: Path) -> Path:
    """Put a runbook into the catalog whose step waits until this pipe is opened."""
    pipe = folder.parent / "crowd.pipe"
    os.mkfifo(pipe)
    steps.publish(folder, crowd=[f"read -r line <'{pipe}' || true"], ticks=[TICKS])
    return pipe


def measure(system: System, pipe: Path) -> list[Figure]:
    """Memory of the worker with 200 executions in progress, and what a step of another one takes then."""
    alone, _ = steps.paces("fifty")
    crowd = [steps.start("crowd") for _ in range(CROWD)]
    _await_running(crowd)
    (pid,) = system.pids("celery")
    taken = memory(pid, "VmRSS")
    beside, _ = steps.paces("fifty")
    pipe.open("w").close()
    for execution in crowd:
        steps.finish(execution)
    return [
        Figure(f"worker with {CROWD} executions in progress", taken, "MB", None, 300.0),
        Figure(
            f"step beside {CROWD} executions, median",
            median(beside),
            "ms",
            median(alone),
            2 * median(alone),
        ),
    ]


def recovery(system: System) -> list[Figure]:
    """Seconds from the kill -9 of the worker to the next output that is stored."""
    from cvdops.executions.models import OutputSegment

    execution = steps.start("ticks")
    stored = OutputSegment.objects.filter(execution=execution)
    while not stored.count():
        time.sleep(0.02)
    (pid,) = system.pids("celery")
    os.kill(pid, signal.SIGKILL)
    killed, before = time.monotonic(), stored.count()
    while stored.count() <= before:
        time.sleep(0.02)
        assert time.monotonic() < killed + 60, "nobody went on with it"
    seconds = time.monotonic() - killed
    steps.finish(execution)
    assert execution.steps.get().attempt_count == 1, "the step was begun twice"
    return [Figure("recovery after kill -9 of the worker", seconds, "s", 15.0, 20.0)]


def _await_running(crowd) -> None:
    from cvdops.executions.models import StepAttempt

    ids = [execution.pk for execution in crowd]
    running = StepAttempt.objects.filter(step__execution__in=ids, state="running")
    deadline = time.monotonic() + 60
    while running.count() < len(crowd):
        assert time.monotonic() < deadline, f"only {running.count()} of {len(crowd)} run"
        time.sleep(0.1)
