"""A Redis that a test may kill."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cvdops.stack import redis
from cvdops.stack.parts import Running
from tests.waiting import PATIENCE


class Broker:
    """A private Redis, started, killed, frozen at will. It keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self.url = redis.url(folder)
        self._part = redis.part(folder)
        self._log = folder / "log"
        self._server: Running | None = None

    def start(self) -> None:
        self._server = Running(self._part, self._log)
        self._server.wait_ready()

    def signal(self, number: int) -> None:
        assert self._server is not None
        self._server.process.send_signal(number)

    def kill(self) -> None:
        if self._server is not None:
            self._server.process.kill()
            self._server.process.wait(PATIENCE)
            self._server = None


@pytest.fixture
def broker() -> Iterator[Broker]:
    folder = Path(tempfile.mkdtemp(prefix="cvdops-redis-"))  # a socket's path must be short
    broker = Broker(folder)
    broker.start()
    yield broker
    broker.kill()
    shutil.rmtree(folder)
