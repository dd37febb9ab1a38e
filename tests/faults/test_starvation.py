"""F23: a machine that has no time. No lease is lost, hearts beat, and pages still come."""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import Client

from cvdops.executions.leases import SECONDS
from cvdops.executions.models import Execution
from tests.faults.rig import Rig
from tests.waiting import PATIENCE

BUSY = 4  # processes that never rest, on two processors
OLDEST = 8.0  # seconds: the oldest heartbeat of a hundred
PAGE = 1.0  # seconds
SLOWER = 8  # times, on a machine that had little time before


@contextmanager
def starved() -> Iterator[None]:
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BUSY)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait(PATIENCE)


def heartbeats() -> list[float]:
    """How long ago each lease was renewed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT %s - extract(epoch FROM lease_until - clock_timestamp()) "
            "FROM executions_execution WHERE lease_until IS NOT NULL",
            [SECONDS],
        )
        return [float(age) for (age,) in cursor.fetchall()]


def page(browser: Client, execution: Execution) -> float:
    """How many seconds it takes."""
    began = time.monotonic()
    assert browser.get(f"/executions/{execution.pk}/").status_code == 200
    return time.monotonic() - began


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]


def starve(rig: Rig, executions: int, seconds: float) -> None:
    rig.runbook(rig.step("one", seconds=seconds, lines=10))
    browser = Client()
    browser.force_login(rig.scene.person("operations-lead"))
    ages, pages = [], []
    [first] = rig.start()
    page(browser, first)  # which loads the templates
    usual = statistics.median(page(browser, first) for _ in range(5))
    with rig.workers() as workers, starved():
        started = [first, *rig.start(executions - 1)]
        over = time.monotonic() + seconds
        while time.monotonic() < over:
            ages += heartbeats()
            pages.append(page(browser, started[0]))
            time.sleep(0.5)
        rig.settled(started, seconds + 60)
        assert workers.count == len(workers.pids)
    tokens = Execution.objects.filter(pk__in=[one.pk for one in started])
    assert set(tokens.values_list("lease_token", flat=True)) == {1}, "a lease was lost"
    assert quantile(ages, 0.99) <= OLDEST
    assert quantile(pages, 0.95) <= max(PAGE, SLOWER * usual)
    rig.truth(started)


@pytest.mark.faults
def test_two_hundred_executions_on_a_machine_without_time(rig: Rig) -> None:
    starve(rig, executions=200, seconds=300.0)
