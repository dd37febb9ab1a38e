"""Bursts: many requests in one moment wait their turn at the gate, and all are served."""

import threading
import time
from pathlib import Path

import pytest

from cvdops.web import gate
from tests.executions.test_engine import block
from tests.faults.portal import Visit, web
from tests.faults.rig import Rig
from tests.waiting import PATIENCE, joined


def burst(visit: Visit, size: int) -> list[tuple[int, float]]:
    """(status, seconds) of so many requests that are sent at once."""
    answers: list[tuple[int, float]] = []
    ready = threading.Barrier(size, timeout=PATIENCE)

    def ask() -> None:
        ready.wait()
        began = time.monotonic()
        answers.append((visit.page("/executions/").status, time.monotonic() - began))

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(size)]
    for thread in threads:
        thread.start()
    joined(*threads, timeout=2 * PATIENCE)
    return answers


def served(answers: list[tuple[int, float]]) -> None:
    """All of them; on a machine that is very slow, those whose turn came before they had waited long."""
    assert any(status == 200 for status, _ in answers)
    early = [(status, took) for status, took in answers if status != 200 and took < gate.PATIENCE]
    assert early == []


def trial(rig: Rig, folder: Path, size: int) -> None:
    rig.scene.runbook(block("one", "true"))
    execution = rig.scene.start()
    with web(folder) as server:
        visit = server.visit(rig.scene.person("devops-engineer"))
        served(burst(visit, size))
        cancelled = threading.Thread(
            target=lambda: visit.post(f"/executions/{execution.pk}/cancel/"), daemon=True
        )
        cancelled.start()
        served(burst(visit, size))
        joined(cancelled)
    execution.refresh_from_db()
    assert execution.state == "cancelled"


def test_a_burst_waits_its_turn(rig: Rig, tmp_path: Path) -> None:
    trial(rig, tmp_path, 40)


@pytest.mark.faults
def test_hundreds_at_one_moment(rig: Rig, tmp_path: Path) -> None:
    trial(rig, tmp_path, 300)
