"""Looks of a worker: each gives back what it used, whatever it found."""

from uuid import uuid4

from django.db import connection

from cvdops.executions import engine
from cvdops.executions.looks import Looks


def test_looks_that_find_nothing_to_do_leave_no_connection_behind(transactional_db: None) -> None:
    looks = Looks(lambda execution: engine.advance(execution, "test"))
    looks.open(1)
    for _ in range(connection.pool.max_size + 1):
        assert looks.take(uuid4())
        assert looks.wait(5)
    assert connection.pool.get_stats()["pool_available"] >= 1
