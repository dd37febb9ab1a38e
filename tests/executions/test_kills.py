"""A worker that dies, at every place where it can: nothing lost, nothing twice."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection, connections

from cvdops.executions import engine
from cvdops.executions.models import Execution
from tests.executions.scene import Scene
from tests.executions.test_engine import block
from tests.waiting import until

pytestmark = pytest.mark.faults

PLACES = [
    "lease.claimed",
    "attempt.sent",
    "attempt.started",
    "output.stored",
    "attempt.finished",
    "engine.turned",
    *(f"announce:{n}" for n in range(1, 8)),
    *(f"write:{n}" for n in range(1, 7)),
]


def effect(name: str, effects: Path, seconds: float = 0.0) -> str:
    """A script that leaves one line for each time that it begins and ends, and prints ten lines."""
    return (
        f"printf '%s begin\\n' {name} >> '{effects}'\n"
        f"for i in 0 1 2 3 4 5 6 7 8 9; do printf '%s %s\\n' {name} $i; sleep {seconds / 10}; done\n"
        f"printf '%s end\\n' {name} >> '{effects}'"
    )


def victim(execution: Execution, failpoint: str = "") -> "subprocess.Popen[bytes]":
    """A process of its own that advances the execution."""
    name = connection.settings_dict["NAME"]
    url = os.environ["DATABASE_URL"].replace("/cvdops?", f"/{name}?")
    return subprocess.Popen(
        [sys.executable, "-m", "tests.executions.worker", str(execution.pk)],
        env={**os.environ, "DATABASE_URL": url, "CVDOPS_FAILPOINT": failpoint},
        start_new_session=True,
    )


def expire_lease(execution: Execution) -> None:
    """As if fifteen seconds had passed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE executions_execution SET lease_until = clock_timestamp() - interval '1 s' "
            "WHERE id = %s AND lease_until IS NOT NULL",
            [execution.pk],
        )


def carry_on(scene: Scene, execution: Execution) -> None:
    """What the next worker does, until the execution is over."""

    def over() -> bool:
        expire_lease(execution)
        return scene.advance(execution).is_over

    until(over, what="the end of the execution")


def assert_truthful(scene: Scene, execution: Execution, effects: Path, names: list[str]) -> None:
    expected = Counter(f"{name} {word}" for name in names for word in ("begin", "end"))
    assert Counter(effects.read_text().splitlines()) == expected
    assert execution.state == "succeeded"
    for name in names:
        lines = "".join(f"{name} {i}\n" for i in range(10))
        assert scene.output(execution, name) == lines


@pytest.mark.parametrize("place", PLACES)
def test_a_worker_that_dies_at(place: str, scene: Scene, tmp_path: Path) -> None:
    effects = tmp_path / "effects"
    scene.runbook(block("one", effect("one", effects)) + block("two", effect("two", effects)))
    execution = scene.start()
    assert victim(execution, place).wait(30) == 9, f"{place} was not reached"
    carry_on(scene, execution)
    assert_truthful(scene, execution, effects, ["one", "two"])


def test_kill_9_at_random_moments(scene: Scene, tmp_path: Path) -> None:
    effects = tmp_path / "effects"
    names = ["one", "two", "three"]
    scene.runbook("".join(block(name, effect(name, effects, 0.5)) for name in names))
    execution = scene.start()
    chance = random.Random(7)  # noqa: S311
    for _ in range(8):
        process = victim(execution)
        try:
            process.wait(chance.uniform(0.8, 2.0))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        expire_lease(execution)
    carry_on(scene, execution)
    assert_truthful(scene, execution, effects, names)


def test_fifty_wake_ups_at_once_begin_a_step_once(scene: Scene, tmp_path: Path) -> None:
    effects = tmp_path / "effects"
    scene.runbook(block("one", effect("one", effects)))
    execution = scene.start()

    def wake(number: int) -> None:
        engine.advance(execution.pk, f"worker {number}")
        connections.close_all()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(wake, range(50)))
    execution.refresh_from_db()
    assert_truthful(scene, execution, effects, ["one"])
