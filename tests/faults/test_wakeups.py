"""F11: the same wake-up fifty times at once, late, out of order, and for what is over."""

from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import pytest
from celery import current_app
from django.conf import settings
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from cvdops.executions import engine
from cvdops.executions.models import Execution
from tests.faults.rig import Rig
from tests.waiting import joined

SURPLUS = 3  # questions to the database that a wake-up too many may cost


def wake(execution: Execution) -> None:
    current_app.send_task("executions.advance", [str(execution.pk)], queue="env.development")


@pytest.mark.parametrize(
    ("executions", "times"), [(3, 50), pytest.param(100, 50, marks=pytest.mark.faults)]
)
def test_duplicates_begin_each_step_once(rig: Rig, executions: int, times: int) -> None:
    rig.runbook(rig.step("one"), rig.step("two", "idempotent"))
    with rig.workers(2):
        started = rig.start(executions)
        messages = started * times
        rig.chance.shuffle(messages)
        for message in messages:
            wake(message)
        rig.settled(started, 120)
        for finished in started:
            wake(finished)
    rig.truth(started)


def test_fifty_threads_of_one_process(rig: Rig) -> None:
    rig.runbook(rig.step("one"))
    [execution] = rig.start()

    def look(number: int) -> None:
        engine.advance(execution.pk, f"worker {number}")
        connections.close_all()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(look, range(50)))
    rig.settled([execution], 0)
    rig.truth([execution])


def test_a_wake_up_too_many_is_cheap(rig: Rig) -> None:
    rig.runbook(rig.step("one", seconds=0, lines=1))
    [execution] = rig.start()
    engine.advance(execution.pk, "first")
    with CaptureQueriesContext(connection) as queries:
        engine.advance(execution.pk, "second")
    assert len(queries) <= SURPLUS, queries.captured_queries


def test_a_wake_up_too_many_keeps_no_connection(rig: Rig) -> None:
    rig.runbook(rig.step("one", seconds=0, lines=1))
    [execution] = rig.start()
    engine.advance(execution.pk, "first")
    for _ in range(settings.DATABASE_POOL + 1):
        thread = Thread(target=engine.advance, args=(execution.pk, "second"))
        thread.start()
        joined(thread)
    execution.refresh_from_db()  # with a connection of the pool
