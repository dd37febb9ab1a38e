"""One hub per web process: a pump for each execution that is watched, shared by all who watch it.

Those who may read what came back to requests share one, those who may not another.
"""

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

Subject = tuple[UUID, bool]  # an execution, and whether answers are shown


class Hub:
    """The pumps of this process. Belongs to one event loop."""

    def __init__(self, hints: Hints) -> None:
        self._hints = hints
        self._pumps: dict[Subject, Pump] = {}

    async def watch(
        self, execution: UUID, position: int, *, answers: bool
    ) -> AsyncGenerator[bytes, None]:
        """Frames after a position until the execution is over; `reset` for one that is too old."""
        pump = self._pump((execution, answers), position)
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

    def _pump(self, subject: Subject, position: int) -> Pump:
        pump = self._pumps.get(subject)
        if pump is None or pump.ring.closed:
            execution, answers = subject
            gone = partial(self._forget, subject)
            pump = Pump(execution, position, self._hints, gone, answers=answers)
            self._pumps[subject] = pump
        return pump

    def _forget(self, subject: Subject, pump: Pump) -> None:
        if self._pumps.get(subject) is pump:
            del self._pumps[subject]


_hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop, made with the first stream."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        made = _hubs[loop] = Hub(Reader(settings.REDIS_URL))
        on_stop(loop, made.drain)
    return _hubs[loop]
