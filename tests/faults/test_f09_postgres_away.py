"""F9: PostgreSQL is stopped in the middle of a step; then it is frozen, so that sockets hang."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from cvdops.executions.models import Execution
from tests.faults.portal import Portal, Visit, memory
from tests.faults.servers import Database, leave
from tests.waiting import PATIENCE, joined, until

VISITORS = 20  # who ask all the time, each as soon as it was answered


@contextmanager
def visitors(visitor: Visit) -> Iterator[list[tuple[float, int]]]:
    """(seconds, status) of what they were answered meanwhile."""
    over = threading.Event()
    answers: list[tuple[float, int]] = []

    def ask() -> None:
        while not over.is_set():
            began = time.monotonic()
            status = visitor.page("/executions/").status
            answers.append((time.monotonic() - began, status))
            over.wait(0.2)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(VISITORS)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        joined(*threads, timeout=2 * PATIENCE)


def away(
    portal: Portal,
    seconds: float,
    go: Callable[[], None],
    back: Callable[[], None],
    slowest: float = 15.0,
) -> None:
    """The database leaves while a step runs, and comes back long after the end of the step. `slowest`:
    seconds that an answer may take meanwhile."""
    rig = portal.rig
    rig.runbook(rig.step("one", seconds=1.0, lines=20), rig.step("two"))
    (execution,) = rig.start()
    until(lambda: rig.effects.counted()[attempt_of(execution), "begin"], what="the step")
    attempt = attempt_of(execution)
    worker = memory(portal.workers.pids[0])
    visitor = portal.visit("operations-lead")
    go()
    leave()
    with visitors(visitor) as answers:
        ended = time.monotonic() + seconds
        until(
            lambda: rig.effects.counted()[attempt, "end"], what="the end of the step, on its host"
        )
        until(lambda: time.monotonic() > ended and len(answers) >= VISITORS, seconds + 60)
    assert {status for _, status in answers} == {503}
    assert max(took for took, _ in answers) <= slowest
    assert memory(portal.workers.pids[0]) - worker <= 20 << 20
    back()
    stored(rig, execution)
    until(lambda: visitor.page("/executions/").status == 200, what="pages again")
    assert "Traceback" not in portal.web.said()


def attempt_of(execution: Execution) -> str:
    attempt = execution.steps.get(key="one").attempts.first()
    return str(attempt.pk) if attempt else ""


def stored(rig: object, execution: Execution) -> None:
    """The result is there, and it is the truth."""
    leave()
    until(lambda: rig.scene.states(execution)["one"] == "succeeded", what="the result")
    rig.settled([execution])
    rig.truth([execution])


def test_it_is_stopped_then_frozen(own_database: Database, portal: Portal) -> None:
    away(portal, 1, own_database.stop, own_database.start)
    away(portal, 4, own_database.freeze, own_database.thaw)


@pytest.mark.faults
def test_it_is_away_for_long(own_database: Database, portal: Portal) -> None:
    away(portal, 60, own_database.stop, own_database.start, 5)
    away(portal, 60, own_database.freeze, own_database.thaw, 5)
