"""The looks of a worker: at most so many at once, none forgotten, no connection kept."""

import threading
from uuid import UUID, uuid4

import pytest
from django.db import connection

from cvdops.executions import engine
from cvdops.executions.leases import HOLDS
from cvdops.executions.looks import Looks
from cvdops.lib.ids import uuid7


@pytest.fixture
def drained() -> object:
    yield HOLDS.draining.set
    HOLDS.draining.clear()


def test_looks_that_find_nothing_to_do_leave_no_connection_behind(transactional_db: None) -> None:
    looks = Looks(lambda execution: engine.advance(execution, "test"))
    looks.open(1)
    for _ in range(connection.pool.max_size + 1):
        assert looks.take(uuid4())
        assert looks.wait(60)
    assert connection.pool.get_stats()["pool_available"] >= 1


def test_who_is_asked_for_while_it_is_looked_at_is_looked_at_again() -> None:
    seen: list[UUID] = []
    go = threading.Event()
    looks = Looks(lambda what: (seen.append(what), go.wait(60))[0])
    looks.open(1)
    one = uuid7()
    assert looks.take(one) and looks.take(one) and looks.take(one)
    assert not looks.take(uuid7()), "there is no room for another"
    go.set()
    assert looks.wait(60) and seen == [one, one]


def test_a_look_that_breaks_makes_room(caplog: pytest.LogCaptureFixture) -> None:
    looks = Looks(lambda what: 1 / 0)
    looks.open(1)
    assert looks.take(uuid7()) and looks.wait(60)
    assert looks.room == 1
    assert "broke off" in caplog.text


def test_nobody_begins_a_look_while_the_worker_leaves(drained: object) -> None:
    looks = Looks(lambda what: None)
    looks.open(1)
    drained()
    assert not looks.take(uuid7())
