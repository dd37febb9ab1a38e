"""F12: what a worker asked of PostgreSQL or Redis was done, and the answer is lost with the connection."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.conf import settings
from django.db import connection

from tests.faults.rig import Rig
from tests.proxy import Proxy


class Losing(Proxy):
    """Before a server's socket: it loses this share of the pieces of its answers."""

    def __init__(self, target: str, chance: Random, share: float) -> None:
        self._chance, self._share = chance, share
        super().__init__(target)

    def _piece(self, source: socket.socket) -> bytes:
        data = super()._piece(source)
        answer = source.family == socket.AF_UNIX
        return b"" if answer and self._chance.random() < self._share else data


@contextmanager
def losing(rig: Rig, share: float) -> Iterator[dict[str, str]]:
    """The environment of workers whose both servers lose answers."""
    database, broker = connection.settings_dict, urlsplit(settings.REDIS_URL)
    tables = Losing(f"{database['HOST']}/.s.PGSQL.5432", rig.chance, share)
    hints = Losing(broker.path, rig.chance, share)
    number = dict(parse_qsl(broker.query))["db"]
    yield {
        "DATABASE_URL": f"postgresql://cvdops@127.0.0.1:{tables.port}/{database['NAME']}",
        "REDIS_URL": f"redis://127.0.0.1:{hints.port}/{number}",
    }
    tables.close()
    hints.close()


@pytest.mark.parametrize(
    ("share", "executions"),
    [
        (0.03, 2),
        pytest.param(0.01, 200, marks=pytest.mark.faults),
        pytest.param(0.1, 50, marks=pytest.mark.faults),
    ],
)
def test_answers_are_lost(rig: Rig, share: float, executions: int) -> None:
    rig.runbook(rig.step("one"), rig.step("two", "idempotent"))
    with losing(rig, share) as environment, rig.workers(2, **environment):
        started = rig.start(executions)
        rig.settled(started, 600)
    rig.truth(started)
