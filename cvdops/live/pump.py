"""One task per watched execution: reads what is new and puts it into the ring that its viewers follow."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import Error
from psycopg_pool import PoolTimeout

from cvdops.lib.database import Connection
from cvdops.live.frames import beat, frame, retry
from cvdops.live.ring import Ring

log = logging.getLogger(__name__)

TICK = 1.0  # seconds: the database is asked even if no hint came
APART = 0.05  # seconds between two turns: at most 20 frames a second
SHARE = 2.0  # a turn that cost much is followed by a pause this many times as long
BEAT = 5.0  # seconds; with it every stream is authorised anew after 15 s at the latest
LINGER = 5.0  # seconds that it stays after the last viewer, for those who come back


@dataclass(frozen=True, slots=True)
class Turn:
    """Frames that bring a viewer to `position`. `reset`: the database is not where it was.

    `positions`: those of the frames, where each may be resumed after; else they belong together.
    `more`: there is more to read at once.
    """

    frames: list[bytes]
    position: int
    over: bool = False
    reset: bool = False
    positions: Sequence[int] = ()
    more: bool = False


class Feed(Protocol):
    """Goes through the changes of one execution, turn by turn, from a position on.

    It runs in a thread and gives its connection back after each turn.
    """

    cost: float  # seconds of processor time that the last turn took

    def turn(self, *, refresh: bool = False) -> Turn: ...


class Hints(Protocol):
    """Where hints come from that an execution has moved."""

    @property
    def connected(self) -> bool: ...

    def follow(self, execution: str) -> AbstractContextManager[asyncio.Event]: ...


class Pump:
    """Feeds the ring of one execution until it is over or nobody watches."""

    def __init__(
        self,
        execution: UUID,
        position: int,
        feed: Feed,
        hints: Hints,
        gone: Callable[["Pump"], None],
    ) -> None:
        self.execution = execution
        self.ring = Ring(position)
        self.viewers = 0
        self._feed = feed
        self._hints = hints
        self._gone = gone
        self._live: bool | None = None  # as it was told to the viewers
        self._broken = False
        self._losses = Connection.losses
        self._began = self._watched_at = self._beat_at = time.monotonic()
        self._turn = sync_to_async(self._feed.turn, thread_sensitive=False)
        self.task = asyncio.create_task(self._run())

    def drain(self) -> None:
        """Send every viewer away, to come back at once."""
        self._end(retry(500))

    async def _run(self) -> None:
        try:
            with self._hints.follow(str(self.execution)) as hint:
                while not self.ring.closed:
                    began = time.monotonic()
                    hint.clear()
                    if await self._look(began):
                        hint.set()
                    if not self.ring.closed:
                        await self._pause(hint, began)
        except Exception:
            log.exception("The stream of execution %s broke.", self.execution)
            self._end(frame("reset", {}))
        finally:
            self._gone(self)

    async def _look(self, now: float) -> bool:
        """One turn, and whether there is more. A database that is away is asked again: then nothing
        that was read counts."""
        refresh = now >= self._beat_at + BEAT
        try:
            turn = await self._turn(refresh=refresh)
        except Error as error:
            log.warning("Execution %s cannot be read: %s", self.execution, error)
            # A database that crashed may give the last positions out again, for something else.
            self._broken = self._broken or not isinstance(error.__cause__, PoolTimeout)
            self._tell_mode()
            return False
        if turn.reset or self._broken or self._losses != Connection.losses:
            self._end(frame("reset", {}))
            return False
        self._append(turn, refresh=refresh)
        return turn.more

    def _append(self, turn: Turn, *, refresh: bool) -> None:
        self._tell_mode()
        for data, position in zip(turn.frames, turn.positions, strict=False):
            self.ring.append([data], position)
        if turn.position != self.ring.position or (turn.frames and not turn.positions):
            self.ring.append([] if turn.positions else turn.frames, turn.position)
        if refresh:
            self._beat_at = time.monotonic()
            self._add(beat(time.time()))
        if turn.over:
            self._end(frame("end", {}))

    def _tell_mode(self) -> None:
        live = self._hints.connected and not self._broken
        if self._live is None and not live and time.monotonic() < self._began + TICK:
            return  # the first hint may still be on its way
        if live is not self._live:
            self._live = live
            self._add(frame("mode", {"live": live}))

    @property
    def mode(self) -> bytes:
        """What a new viewer is told first."""
        return b"" if self._live is None else frame("mode", {"live": self._live})

    async def _pause(self, hint: asyncio.Event, began: float) -> None:
        cost = self._feed.cost
        rest = cost * SHARE if cost > APART else 0.0
        await asyncio.sleep(max(APART - (time.monotonic() - began), rest))
        try:
            async with asyncio.timeout(TICK):
                await hint.wait()
        except TimeoutError:
            pass
        now = time.monotonic()
        if self.viewers:
            self._watched_at = now
        elif now > self._watched_at + LINGER:
            self.ring.close()

    def _add(self, data: bytes) -> None:
        self.ring.append([data], self.ring.position)

    def _end(self, data: bytes) -> None:
        if not self.ring.closed:
            self._add(data)
            self.ring.close()
