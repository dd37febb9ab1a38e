"""A step that prints 200 MB: how fast it is recorded, what that costs, and whether others notice."""

import asyncio
import hashlib
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Figure, median, percentile
from benchmarks.steps import HEAD, finish, start
from benchmarks.system import System, memory
from benchmarks.viewers import log_in, watch

PART, PARTS = 8_000_000, 25
TOKEN = "correct-horse-battery-staple"
VIEWERS = 20
_MB = 1_000_000


def document(name: str, log: Path, attributes: str = "") -> str:
    """A runbook whose step prints a log again and again, and between them a secret."""
    head = HEAD.format(id=name).replace(
        "category:", "variables:\n  TOKEN: {secret: true}\ncategory:"
    )
    script = f"for n in {{1..{PARTS}}}; do cat '{log}'; echo \"${{TOKEN}}\"; done"
    return f"{head}#### Flood\n\n```bash {{#flood {attributes}}}\n{script}\n```\n"


def publish(folder: Path) -> Path:
    """Put the runbook into the catalog; the log that it prints."""
    from cvdops.catalog.sync import sync

    log = folder.parent / "flood.log"
    log.write_bytes(_log())
    (folder / "flood.md").write_text(document("flood", log))
    (folder / "flood-far.md").write_text(document("flood-far", log, "target=far"))
    sync(folder)
    return log


def measure(system: System, log: Path) -> list[Figure]:
    """MB a second until all is stored; growth of worker and web; the delay that others see meanwhile.

    The web server loads code and makes its buffers with the first flood: its growth is that of another.
    """
    cookie = log_in(system.port)
    delays: list[float] = []
    with growth(system, "celery") as worker:
        _flood(cookie, system.port)
        with growth(system, "uvicorn") as web, _viewers(cookie, system.port, delays):
            execution = _flood(cookie, system.port)
    others = f"line printed beside a flood → in a viewer, {VIEWERS} viewers"
    return [
        Figure("flood of 200 MB", _speed(execution, log), "MB/s", _floor(log), 50.0, more=True),
        Figure("flood of 200 MB, worker grows", worker[0], "MB", None, 50.0),
        Figure("flood of 200 MB, web grows", web[0], "MB", None, 20.0),
        Figure(f"{others}, median", median(delays), "ms", 0.3, 30.0),
        Figure(f"{others}, p99", percentile(delays, 0.99), "ms", 0.3, 100.0),
    ]


def measure_far(log: Path) -> list[Figure]:
    """MB a second from a host that is reached by SSH."""
    execution = start("flood-far", variables={"TOKEN": TOKEN})
    finish(execution)
    return [
        Figure("flood of 200 MB over SSH", _speed(execution, log), "MB/s", None, 50.0, more=True)
    ]


def _speed(execution, log: Path) -> float:
    attempt = execution.steps.get().attempts.get()
    assert attempt.output_digest == _expected(log), "the output is not what the step printed"
    return attempt.output_size / _MB / (attempt.finished_at - attempt.sent_at).total_seconds()


@contextmanager
def _viewers(cookie: str, port: int, delays: list[float]) -> Iterator[None]:
    """Another execution whose lines are watched meanwhile; the first comes after three seconds."""
    lines = start("lines")
    look = watch(port, cookie, str(lines.pk), VIEWERS)
    others = threading.Thread(target=lambda: delays.extend(asyncio.run(look)))
    others.start()
    time.sleep(3.5)
    yield
    others.join()
    finish(lines)


def _flood(cookie: str, port: int):
    """Run it with a viewer."""
    execution = start("flood", variables={"TOKEN": TOKEN})
    viewer = threading.Thread(
        target=lambda: asyncio.run(watch(port, cookie, str(execution.pk), 1)), daemon=True
    )
    viewer.start()
    finish(execution)
    viewer.join(10)
    return execution


def _log() -> bytes:
    chance = random.Random(1)  # noqa: S311
    lines, size = [], 0
    while size < PART:
        number, took = chance.randrange(10**9), chance.random()
        line = f"2026-11-26 09:0{number % 10}:12 INFO worker-{number % 7} request {number} took {took:.3f} s\n"
        lines.append(line)
        size += len(line)
    return "".join(lines).encode()


def _expected(log: Path) -> str:
    """The digest of all that is printed, masked."""
    whole, data = hashlib.sha256(), log.read_bytes() + "•••\n".encode()
    for _ in range(PARTS):
        whole.update(data)
    return whole.hexdigest()


def _floor(log: Path) -> float:
    """MB a second of the same bytes through a pipe, masked by one search, and hashed."""
    import subprocess

    began = time.perf_counter()
    cat = subprocess.Popen(["cat", *[str(log)] * PARTS], stdout=subprocess.PIPE)
    whole, size = hashlib.sha256(), 0
    assert cat.stdout is not None
    while data := cat.stdout.read(1 << 20):
        whole.update(data.replace(TOKEN.encode(), b"***"))
        size += len(data)
    cat.wait()
    return size / _MB / (time.perf_counter() - began)


@contextmanager
def growth(system: System, program: str) -> Iterator[list[float]]:
    """How many MB the largest memory of this part is above that at the beginning."""
    (pid,) = system.pids(program)
    before = memory(pid, "VmRSS")
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the high-water mark begins anew
    grown: list[float] = []
    yield grown
    grown.append(memory(pid, "VmHWM") - before)
