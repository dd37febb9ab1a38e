"""Bursts: many requests in one moment wait their turn at the gate, and all are served."""

import threading
from pathlib import Path

import pytest

from tests.executions.test_engine import block
from tests.faults.portal import Visit, web
from tests.faults.rig import Rig


def burst(visit: Visit, size: int, path: str = "/executions/") -> list[int]:
    """The statuses of so many requests that are sent at once."""
    answers: list[int] = []
    ready = threading.Barrier(size)

    def ask() -> None:
        ready.wait()
        answers.append(visit.page(path).status)

    threads = [threading.Thread(target=ask) for _ in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def trial(rig: Rig, folder: Path, size: int) -> None:
    rig.scene.runbook(block("one", "true"))
    execution = rig.scene.start()
    with web(folder) as server:
        visit = server.visit(rig.scene.person("devops-engineer"))
        assert burst(visit, size) == [200] * size
        cancelled = threading.Thread(
            target=lambda: visit.post(f"/executions/{execution.pk}/cancel/")
        )
        cancelled.start()
        assert set(burst(visit, size)) == {200}
        cancelled.join()
    execution.refresh_from_db()
    assert execution.state == "cancelled"


def test_a_burst_waits_its_turn(rig: Rig, tmp_path: Path) -> None:
    trial(rig, tmp_path, 40)


@pytest.mark.faults
def test_hundreds_at_one_moment(rig: Rig, tmp_path: Path) -> None:
    trial(rig, tmp_path, 300)
