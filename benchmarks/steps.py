"""How fast steps follow each other, and how soon the first one runs after the start."""

import subprocess
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from benchmarks.figures import Figure, median, percentile

STEPS = 50
RUNS = 5
STARTS = 40

HEAD = """---
format: 1
id: {id}
version: 1.0.0
category: deployment
---
# {id}

## Procedures

### Measure {{.procedure}}

"""


def document(name: str, scripts: list[str], attributes: str = "") -> str:
    """A runbook with one step for each script."""
    blocks = [
        f"```bash {{#s{i} {attributes}}}\n{script}\n```\n\n" for i, script in enumerate(scripts)
    ]
    return HEAD.format(id=name) + "".join(f"#### S{i}\n\n{b}" for i, b in enumerate(blocks))


def publish(folder: Path, **scripts: list[str]) -> None:
    """Put runbooks of these names into the catalog."""
    from cvdops.catalog.sync import sync

    for name, lines in scripts.items():
        (folder / f"{name}.md").write_text(document(name, lines))
    sync(folder)


def start(name: str, **given: object):
    """Start the runbook in development, as the engineer of the demo."""
    from cvdops.accounts.models import User
    from cvdops.executions import services

    return services.start(
        User.objects.get(username="devops-engineer"),
        runbook=name,
        environment="development",
        reason="a measurement",
        checklist="confirmed",
        **given,
    )


def backup() -> str:
    """A backup of the practice CVD, done: the id of its execution."""
    execution = start("backup-restore", procedure="backup-database")
    finish(execution)
    return str(execution.pk)


def finish(execution) -> None:
    """Wait until it has ended, and see that it succeeded."""
    deadline = time.monotonic() + 120
    while not execution.is_over:
        assert time.monotonic() < deadline, "the execution did not end"
        time.sleep(0.02)
        execution.refresh_from_db(fields=["state"])
    assert execution.state == "succeeded", execution.state


def measure() -> list[Figure]:
    """Milliseconds a step, beside what it is made of; milliseconds from the start to the first step."""
    floor = median(_times(STEPS, _bare_step))
    apart, whole = paces("fifty")
    waits = [_wait_for_first() for _ in range(STARTS)]
    return [
        Figure(f"step, {STEPS} × true, median", median(apart), "ms", floor, 6.0),
        Figure(f"step, {STEPS} × true, p99", percentile(apart, 0.99), "ms", floor, 15.0),
        Figure(f"{STEPS} × true in all, median", median(whole), "ms", floor * STEPS, 400.0),
        Figure("start → first step, median", median(waits), "ms", 6.0, 25.0),
        Figure("start → first step, p99", percentile(waits, 0.99), "ms", 6.0, 100.0),
    ]


def _bare_step() -> None:
    """What a step cannot do without (ADR 4): its three programs, and two commits that wait for the disk."""
    from django.db import connection

    durable = "SELECT pg_logical_emit_message(true, 'bench', 'a step')"
    with connection.cursor() as cursor:
        cursor.execute(durable)
        subprocess.run(["/bin/sh", "-c", "bash -c true | /bin/cat"], check=True)
        cursor.execute(durable)


def paces(name: str) -> tuple[list[float], list[float]]:
    """Milliseconds between the starts of neighbouring steps, and from start to end, of several runs."""
    finish(start(name))  # the worker's first execution loads code
    apart: list[float] = []
    whole: list[float] = []
    for _ in range(RUNS):
        execution = start(name)
        finish(execution)
        times = [s.timestamp() for s in _started(execution)]
        apart += [(b - a) * 1000 for a, b in pairwise(times)]
        execution.refresh_from_db()
        whole.append((execution.finished_at - execution.started_at).total_seconds() * 1000)
    return apart, whole


def _wait_for_first() -> float:
    execution = start("one")
    finish(execution)
    return (_started(execution)[0] - execution.created_at).total_seconds() * 1000


def _started(execution):
    return list(execution.steps.order_by("position").values_list("started_at", flat=True))


def _times(count: int, act: Callable[[], object]) -> list[float]:
    found = []
    for _ in range(count):
        began = time.perf_counter()
        act()
        found.append((time.perf_counter() - began) * 1000)
    return found
