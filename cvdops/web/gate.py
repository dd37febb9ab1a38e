"""The gate of a web process: no more requests inside at once than the database has connections for.

Every place has a thread, and so a connection. Without a gate a burst of requests would wait at the pool,
and those that wait too long would fail; here they wait their turn, in the order of coming. While the database
answers nobody, who waits is turned away at once: nobody waits for it twice. Deciding, cancelling and logging in
go first, and have a place of their own. Streams come last, and few at once: after a restart all of them come
back in one moment, and no page is to wait for them.
"""

import asyncio
import re
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from weakref import WeakKeyDictionary

from asgiref.sync import ThreadSensitiveContext

from cvdops.lib.database import Connection

Message = Mapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

SILENCE = 2.5  # seconds without any answer of the database: whoever waits is told so
PATIENCE = 10.0  # seconds of waiting beside a database that answers
UNSEEN = 3  # times as long for a stream, which keeps nobody from reading the page
LOOK = 0.2  # seconds between two looks at it while somebody waits
TURNED_AWAY = "cvdops.turned_away"  # in the scope of a request that the pages are to refuse
STREAMS = 2  # that are opened at once
UNAVAILABLE = 503

# What tells how it goes, and what needs no database.
_FREE = re.compile(r"/(healthz|readyz|static/.*)")
_URGENT = re.compile(
    r"/(login/|(api/v1/)?approvals/[^/]+/decide/?|(api/v1/)?executions/[^/]+/cancel/?)"
)
_STREAM = re.compile(r"/(api/v1/)?executions/[^/]+/events/?")


class Kind(IntEnum):
    """Of a request; in the order in which those who wait are let in."""

    URGENT = 0
    ORDINARY = 1
    STREAM = 2

    @classmethod
    def of(cls, path: str) -> "Kind":
        if _STREAM.fullmatch(path):
            return cls.STREAM
        return cls.URGENT if _URGENT.fullmatch(path) else cls.ORDINARY


@dataclass(frozen=True, slots=True)
class Place:
    """A thread, which has a connection as soon as it asks the database, for a request of this kind."""

    kind: Kind
    thread: ThreadPoolExecutor


class Places:
    """The places of one event loop: who is inside, and who waits.

    `at_once` in all, at least three: one of them is for what is urgent, one for streams.
    """

    def __init__(self, at_once: int) -> None:
        self._free = [ThreadPoolExecutor(1, f"place-{number}") for number in range(at_once)]
        self._most = {Kind.URGENT: at_once, Kind.ORDINARY: at_once - 2, Kind.STREAM: STREAMS}
        self._inside: Counter[Kind] = Counter()
        self._waiting: dict[Kind, deque[asyncio.Future[Place | None]]] = {
            kind: deque() for kind in Kind
        }
        self._failed_at = 0.0  # when somebody left whom the database had not answered
        self._looks = False

    async def enter(self, kind: Kind) -> Place | None:
        """None for who is turned away."""
        if self._has_room(kind):
            return self._take(kind)
        if self._hopeless:
            return None
        turn: asyncio.Future[Place | None] = asyncio.get_running_loop().create_future()
        self._waiting[kind].append(turn)
        if not self._looks:
            self._look()
        try:
            async with asyncio.timeout(PATIENCE * (UNSEEN if kind is Kind.STREAM else 1)):
                return await turn
        except (TimeoutError, asyncio.CancelledError) as error:
            if turn.done() and not turn.cancelled() and (place := turn.result()):
                self.leave(place, well=True)  # one that came at this moment
            if isinstance(error, TimeoutError):
                return None
            raise

    def leave(self, place: Place, *, well: bool) -> None:
        """`well`: it got what it wanted from the database."""
        if not well:
            self._failed_at = time.monotonic()
        self._inside[place.kind] -= 1
        self._free.append(place.thread)
        self._let_in()

    def _take(self, kind: Kind) -> Place:
        self._inside[kind] += 1
        return Place(kind, self._free.pop())

    def _has_room(self, kind: Kind) -> bool:
        kept = 0 if kind is Kind.URGENT else 1
        return len(self._free) > kept and self._inside[kind] < self._most[kind]

    @property
    def _hopeless(self) -> bool:
        """The database has been silent for some time, to those who ask or since somebody failed."""
        if time.monotonic() - Connection.answered_at < SILENCE:
            return False
        return Connection.silence() >= SILENCE or self._failed_at > Connection.answered_at

    def _look(self) -> None:
        """Turn away all who wait if there is no hope; look again as long as there is somebody."""
        waiting = [turn for turns in self._waiting.values() for turn in turns if not turn.done()]
        self._looks = bool(waiting)
        if self._looks and self._hopeless:
            for turn in waiting:
                turn.set_result(None)
        if self._looks:
            asyncio.get_running_loop().call_later(LOOK, self._look)

    def _let_in(self) -> None:
        for kind in Kind:
            while self._waiting[kind] and self._has_room(kind):
                turn = self._waiting[kind].popleft()
                if not turn.done():  # who was turned away or has gone away is still in the line
                    turn.set_result(self._take(kind))


class Gate:
    """An ASGI application that lets so many requests into another one, each with a thread of its place.

    One that is turned away goes in without a place, marked: the pages then say so and ask nobody.
    """

    def __init__(self, application: Application, at_once: int) -> None:
        self._application = application
        self._at_once = at_once
        self._places: WeakKeyDictionary[asyncio.AbstractEventLoop, Places] = WeakKeyDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _FREE.fullmatch(scope["path"]):
            await self._application(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        if loop not in self._places:
            self._places[loop] = Places(self._at_once)
        places = self._places[loop]
        place = await places.enter(Kind.of(scope["path"]))
        if place is None:
            await self._application({**scope, TURNED_AWAY: True}, receive, send)
            return
        visit = _Visit(places, place, send)
        try:
            async with ThreadSensitiveContext(executor=place.thread):
                await self._application(scope, receive, visit.pass_on)
        finally:
            visit.leave()


class _Visit:
    """A request that has a place, until it holds no connection any more."""

    def __init__(self, places: Places, place: Place, send: Send) -> None:
        self._places = places
        self._place: Place | None = place
        self._send = send
        self._well = True

    async def pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._well = message["status"] != UNAVAILABLE
            # These close their connection before they begin, and may stay open for hours.
            if _is_long(message):
                self.leave()
        await self._send(message)

    def leave(self) -> None:
        if self._place is not None:
            self._places.leave(self._place, well=self._well)
            self._place = None


def _is_long(message: Message) -> bool:
    """A stream or a download."""
    headers = {name.lower(): value for name, value in message["headers"]}
    attached = headers.get(b"content-disposition", b"").startswith(b"attachment")
    return attached or headers.get(b"content-type") == b"text/event-stream"
