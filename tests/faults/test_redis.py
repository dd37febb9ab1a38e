"""F4, F5, F6: a Redis that is killed, frozen, emptied, or away. Executions go on; pages hardly notice."""

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
import redis as client
from django.db import connection

from cvdops.executions.models import Execution, Worker
from tests.faults.portal import web
from tests.faults.rig import Rig
from tests.faults.servers import Server, redis_server
from tests.live.viewer import Visitor
from tests.waiting import until

GATE = "#### Gate\n```approval {#gate}\napprovers: [operations-manager]\n```\n"
QUICK = 0.5  # seconds for a page
HELD_UP = 5.0  # seconds for a page that waits for Redis
SOON = 60.0  # seconds; two or three where the machine has time


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Server]:
    with redis_server(tmp_path / "redis") as server:
        yield server
        server.thaw()


@pytest.fixture
def visitor(rig: Rig, redis: Server) -> Iterator[Visitor]:
    """Who starts and approves, at a web server of its own beside this Redis."""
    with web(rig.folder, REDIS_URL=redis.url) as server:
        yield server.visit(rig.scene.person("operations-lead"))


def state(execution: Execution) -> str:
    return Execution.objects.values_list("state", flat=True).get(pk=execution.pk)


def clock() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def consuming(within: float = 60) -> None:
    """Until a worker has proved anew that messages come through."""
    before = clock()
    until(
        lambda: Worker.objects.filter(consumed_at__gt=before).exists(),
        within,
        "a message that comes through",
    )


def through_the_gate(rig: Rig) -> Execution:
    """Start, approve, end: each a few seconds after what it waits for."""
    [execution] = rig.start()
    until(lambda: state(execution) == "waiting", SOON, "the gate")
    rig.scene.approve(execution)
    rig.settled([execution], SOON)
    return execution


def gated(rig: Rig) -> None:
    rig.runbook(rig.step("one"), GATE, rig.step("two"))


def test_executions_go_on_without_redis(rig: Rig, redis: Server) -> None:
    gated(rig)
    redis.kill()
    with rig.workers(REDIS_URL=redis.url) as workers:
        execution = through_the_gate(rig)
        redis.start()
        consuming()
        said = workers.log.read_text()
    rig.truth([execution])
    assert "Traceback" not in said and "Cannot connect" not in said
    lines = [line for line in said.splitlines() if "Redis" in line]
    assert [("is away" in line, "answers again" in line) for line in lines] == [
        (True, False),
        (False, True),
    ], said


def test_a_frozen_redis_holds_up_neither_executions_nor_their_worker(
    rig: Rig, redis: Server
) -> None:
    gated(rig)
    with rig.workers(REDIS_URL=redis.url) as workers:
        redis.freeze()
        execution = through_the_gate(rig)
        pid = workers.drain(0)
        until(lambda: workers.pids[0] != pid, 60, "the end of the worker")
    rig.truth([execution])


def kills(rig: Rig, redis: Server, times: int, executions: int, down: float) -> None:
    rig.runbook(rig.step("one", seconds=0.5), rig.step("two", seconds=0.5))
    with rig.workers(REDIS_URL=redis.url) as workers:
        started = rig.start(executions)
        for _ in range(times):
            redis.kill()
            time.sleep(rig.chance.uniform(0, down))
            redis.start()
        rig.settled(started)
        if times > 2:
            consuming()
    rig.truth(started)
    said = workers.log.read_text()
    assert "Traceback" not in said and said.count("Redis is away") <= times, said


def test_redis_killed(rig: Rig, redis: Server) -> None:
    kills(rig, redis, times=2, executions=2, down=0.2)


@pytest.mark.faults
def test_redis_killed_thirty_times(rig: Rig, redis: Server) -> None:
    kills(rig, redis, times=30, executions=30, down=5.0)


def emptied(rig: Rig, redis: Server, times: int, every: float) -> None:
    gated(rig)
    with rig.workers(REDIS_URL=redis.url) as workers:
        pid, executions = workers.pids[0], []
        server = client.Redis.from_url(redis.url)
        for _ in range(times):
            server.flushall()
            time.sleep(every)
            executions.append(through_the_gate(rig))
        assert workers.pids[0] == pid  # nothing that it needs was in there
    rig.truth(executions)


def test_redis_emptied(rig: Rig, redis: Server) -> None:
    emptied(rig, redis, times=1, every=0.0)


@pytest.mark.faults
def test_redis_emptied_for_two_minutes(rig: Rig, redis: Server) -> None:
    emptied(rig, redis, times=24, every=5.0)


@pytest.mark.faults
def test_redis_away_for_ten_minutes(rig: Rig, redis: Server) -> None:
    gated(rig)
    with rig.workers(REDIS_URL=redis.url) as workers:
        pid, executions = workers.pids[0], []
        redis.kill()
        for _ in range(20):
            time.sleep(30)
            executions.append(through_the_gate(rig))
        assert workers.pids[0] == pid
        redis.start()
        consuming()
    rig.truth(executions)


def timed(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def browse(visitor: Visitor, execution: Execution) -> list[float]:
    """How long pages take."""

    def page(path: str) -> None:
        with visitor.get(path, Accept="text/html") as response:
            assert response.status == 200
            response.read()

    paths = ["/", "/runbooks/trial/run/", "/executions/", f"/executions/{execution.pk}/"]
    return [timed(lambda path=path: page(path)) for path in paths * 5]


def frozen(rig: Rig, redis: Server, visitor: Visitor, seconds: float, slowest: float) -> None:
    gated(rig)
    executions = rig.start()
    browse(visitor, executions[0])  # the first of each kind loads its template
    redis.freeze()
    with visitor.watch(executions[0].pk) as stream:
        until(lambda: stream.first("mode").data == {"live": False})
    over, pages = time.monotonic() + seconds, browse(visitor, executions[0])
    while time.monotonic() < over:
        pages += browse(visitor, executions[0])
    assert statistics.quantiles(pages, n=20, method="inclusive")[-1] < slowest, sorted(pages)


def test_pages_beside_a_frozen_redis(rig: Rig, redis: Server, visitor: Visitor) -> None:
    frozen(rig, redis, visitor, 0.0, HELD_UP)


@pytest.mark.faults
def test_pages_beside_a_redis_frozen_for_a_minute(
    rig: Rig, redis: Server, visitor: Visitor
) -> None:
    frozen(rig, redis, visitor, 60.0, QUICK)
