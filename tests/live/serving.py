"""A web server in a thread of this process, which does what it is told at once."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from tests.waiting import joined, until

LOOK = 0.005  # seconds between two looks whether it is to end, and whether all have gone
GRACE = 2  # seconds for those who are still answered


class Quick(uvicorn.Server):
    """Uvicorn looks ten times a second: at its end each test would wait for three such looks."""

    async def main_loop(self) -> None:
        await self.on_tick(0)
        while not self.should_exit:
            await asyncio.sleep(LOOK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        last = time.monotonic() + GRACE
        while self._busy() and time.monotonic() < last:
            await asyncio.sleep(LOOK)
        for task in self.server_state.tasks:
            task.cancel()

    def _busy(self) -> bool:
        return bool(self.server_state.connections or self.server_state.tasks)


@contextmanager
def serving(port: int) -> Iterator[None]:
    """On the database of the tests."""
    config = uvicorn.Config(
        "cvdops.asgi:application",
        port=port,
        http="cvdops.web.live.delivery:Delivery",
        lifespan="off",
        log_level="warning",
    )
    running = Quick(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    until(lambda: running.started, what="the web server")
    yield
    running.should_exit = True
    joined(thread)
