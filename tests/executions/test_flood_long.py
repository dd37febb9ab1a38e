"""What very much output costs: nothing is lost, and the worker stays small. The long form."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cvdops.executions import output
from cvdops.executions.models import Execution, StepAttempt
from tests.executions.scene import Scene
from tests.executions.test_engine import block
from tests.faults.workers import Workers, workers
from tests.waiting import until

pytestmark = pytest.mark.faults

MB = 1_000_000
SEQUENCE = "".join(f"{n}\n" for n in range(1, 300_001)).encode()  # 2 MB
TOKEN = "correct-horse-battery"
SPLIT = 'for n in {1..2000}; do printf "${TOKEN:0:9}"; printf "%s\\n" "${TOKEN:9}"; done'


@pytest.fixture
def worker(scene: Scene, tmp_path: Path) -> Iterator[Workers]:
    with workers(tmp_path) as group:
        yield group


def recorded(scene: Scene, worker: Workers, script: str) -> tuple[StepAttempt, float]:
    """The attempt after a worker of its own has recorded it, and by how many MB that worker grew."""
    scene.runbook(block("one", script, "timeout=5m"), extra="variables: {TOKEN: {secret: true}}\n")
    status = Path(f"/proc/{worker.pids[0]}/status")
    before = memory(status, "VmRSS")
    Path(f"/proc/{worker.pids[0]}/clear_refs").write_text("5")  # the high-water mark begins anew
    execution = scene.start(variables={"TOKEN": TOKEN})
    until(lambda: Execution.objects.get(pk=execution.pk).is_over, 200, "the end")
    return execution.steps.get().attempts.get(), memory(status, "VmHWM") - before


def memory(status: Path, name: str) -> float:
    found = re.search(rf"{name}:\s+(\d+) kB", status.read_text())
    assert found
    return int(found[1]) / 1024


def digest_of(piece: bytes, times: int) -> str:
    whole = hashlib.sha256()
    for _ in range(times):
        whole.update(piece)
    return whole.hexdigest()


@pytest.mark.parametrize(
    ("script", "piece", "times"),
    [
        ("for n in {1..100}; do seq 300000; done", SEQUENCE, 100),
        ("head -c 100000000 /dev/zero | tr '\\0' x", b"x" * MB, 100),
        ("head -c 100000000 /dev/zero", bytes(MB), 100),
        (SPLIT, "•••\n".encode(), 2000),
    ],
    ids=["200 MB", "one line of 100 MB", "100 MB of zeros", "secrets in two writes"],
)
def test_all_of_it_is_stored_and_the_worker_stays_small(
    scene: Scene, worker: Workers, script: str, piece: bytes, times: int
) -> None:
    attempt, growth = recorded(scene, worker, script)
    assert attempt.output_digest == digest_of(piece, times)
    assert growth < 50


def test_of_a_gigabyte_head_and_tail_are_kept(scene: Scene, worker: Workers) -> None:
    attempt, growth = recorded(scene, worker, "for n in {1..500}; do seq 300000; done; echo end")
    assert 250 * MB < attempt.output_size < 270 * MB
    assert output.read(attempt.pk, attempt.output_size - 11) == b"300000\nend\n"
    assert growth < 50
