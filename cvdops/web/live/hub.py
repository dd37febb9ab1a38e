"""One hub per web process: a pump for each execution that is watched, shared by all who watch it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from uuid import UUID
from weakref import WeakKeyDictionary

from django.conf import settings

from cvdops.streams.reader import Reader
from cvdops.web.live.draining import on_stop
from cvdops.web.live.frames import frame
from cvdops.web.live.pump import Hints, Pump
from cvdops.web.live.ring import Behind


class Hub:
    """The pumps of this process. Belongs to one event loop."""

    def __init__(self, hints: Hints) -> None:
        self._hints = hints
        self._pumps: dict[UUID, Pump] = {}

    async def watch(self, execution: UUID, position: int) -> AsyncGenerator[bytes, None]:
        """Frames after a position until the execution is over; `reset` for one that is too old."""
        pump = self._pump(execution, position)
        pump.viewers += 1
        try:
            yield pump.mode
            async with aclosing(pump.ring.follow(position)) as frames:
                async for data in frames:
                    yield data
        except Behind:
            yield frame("reset", {})
        finally:
            pump.viewers -= 1

    def drain(self) -> None:
        """Send all viewers away: the process is going down."""
        for pump in list(self._pumps.values()):
            pump.drain()

    def _pump(self, execution: UUID, position: int) -> Pump:
        pump = self._pumps.get(execution)
        if pump is None or pump.ring.closed:
            pump = Pump(execution, position, self._hints, partial(self._forget, execution))
            self._pumps[execution] = pump
        return pump

    def _forget(self, execution: UUID, pump: Pump) -> None:
        if self._pumps.get(execution) is pump:
            del self._pumps[execution]


_hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop, made with the first stream."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        made = _hubs[loop] = Hub(Reader(settings.REDIS_URL))
        on_stop(loop, made.drain)
    return _hubs[loop]
