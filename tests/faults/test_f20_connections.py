"""F20: many streams and many requests. The database's connections stay few, and nothing is left open."""

import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.db import connection

from cvdops.settings import DATABASE_POOL
from tests.executions.test_engine import block
from tests.faults.portal import Visit, Web, web
from tests.faults.rig import Rig
from tests.faults.test_f19_slow_viewers import connected
from tests.faults.workers import database_url
from tests.waiting import PATIENCE, joined, until

NAME = "web-of-f20"
READERS = 5


def connections() -> int:
    """How many the web server has to the database."""
    with connection.cursor() as cursor:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
        cursor.execute(query, [NAME])
        return int(cursor.fetchone()[0])


def clients(server: Web) -> int:
    """What it has open beside the database."""
    return server.files() - connections()


def read(visit: Visit, seconds: float) -> list[tuple[int, float]]:
    """(status, seconds) of ten pages a second for each reader."""
    answers: list[tuple[int, float]] = []

    def ask() -> None:
        ends = time.monotonic() + seconds
        while (began := time.monotonic()) < ends:
            answers.append((visit.page("/executions/").status, time.monotonic() - began))
            time.sleep(max(0.0, began + 0.1 - time.monotonic()))

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    joined(*threads, timeout=seconds + 2 * PATIENCE)
    return answers


def trial(rig: Rig, server: Web, streams: int, seconds: float, slowest: float) -> None:
    rig.scene.runbook(block("one", "true"))
    execution, visit = rig.scene.start(), server.visit(rig.scene.person("developer"))
    read(visit, 1)
    before = clients(server)
    with ExitStack() as stack:
        for number in range(0, streams, 20):  # as viewers come; not all in one moment
            for _ in range(20):
                stack.enter_context(connected(visit, execution))
            until(lambda: clients(server) >= before + number + 20, what="the streams")
        answers = read(visit, seconds)
        assert {status for status, _ in answers} == {200}
        assert connections() <= DATABASE_POOL
        during = sorted(took for _, took in answers)[int(len(answers) * 0.95)]
        assert during < slowest
    until(lambda: clients(server) <= before + 2, what="the end of the streams' connections")
    assert connections() <= DATABASE_POOL


def test_many_streams_and_requests(rig: Rig, tmp_path: Path) -> None:
    named = f"{database_url()}&application_name={NAME}"
    with web(tmp_path, DATABASE_URL=named) as server:
        trial(rig, server, 80, 2, slowest=10)


@pytest.mark.faults
def test_500_streams(rig: Rig, tmp_path: Path) -> None:
    named = f"{database_url()}&application_name={NAME}"
    with web(tmp_path, DATABASE_URL=named) as server:
        trial(rig, server, 500, 10, slowest=2)
        assert "Traceback" not in server.said()
