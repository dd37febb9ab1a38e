"""One hub per web process: a pump for each execution that is watched, shared by all who watch it.

Those who may read what came back to requests share one, those who may not another; pages and programs too.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

from django.conf import settings

from cvdops.live.draining import on_stop
from cvdops.live.pump import Feed, Hints, Pump
from cvdops.streams.reader import Reader


class Maker(Protocol):
    """Makes the feed of an execution from a position on; `answers`: for those who may read them."""

    def __call__(self, execution: UUID, position: int, *, answers: bool) -> Feed: ...


Subject = tuple[Maker, UUID, bool]


class Hub:
    """The pumps of this process. Belongs to one event loop."""

    def __init__(self, hints: Hints) -> None:
        self._hints = hints
        self._pumps: dict[Subject, Pump] = {}

    async def watch(
        self, make: Maker, execution: UUID, position: int, *, answers: bool
    ) -> AsyncGenerator[bytes, None]:
        """Frames after a position until the execution is over. Raises Behind for one that is too old."""
        pump = self._pump((make, execution, answers), position)
        pump.viewers += 1
        try:
            yield pump.mode
            async with aclosing(pump.ring.follow(position)) as frames:
                async for data in frames:
                    yield data
        finally:
            pump.viewers -= 1

    def drain(self) -> None:
        """Send all viewers away: the process is going down."""
        for pump in list(self._pumps.values()):
            pump.drain()

    def _pump(self, subject: Subject, position: int) -> Pump:
        pump = self._pumps.get(subject)
        if pump is None or pump.ring.closed:
            make, execution, answers = subject
            gone = partial(self._forget, subject)
            feed = make(execution, position, answers=answers)
            pump = Pump(execution, position, feed, self._hints, gone)
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
