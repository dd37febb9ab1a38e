"""The gate of a web process: no more requests inside at once than the database has connections for.

Every request has a thread and a connection of its own. Without a gate a burst of them would wait at the
pool, and those that wait too long would fail; here they wait their turn, in the order of coming. While
the database answers nobody, who waits is turned away at once: nobody waits for it twice. Deciding, cancelling
and logging in go first, and have a place of their own.
"""

import asyncio
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from cvdops.lib.database import Connection

Message = Mapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

SILENCE = 2.5  # seconds without any answer of the database: whoever waits is told so
PATIENCE = 10.0  # seconds of waiting beside a database that answers
LOOK = 0.2  # seconds between two looks at it while somebody waits
TURNED_AWAY = "cvdops.turned_away"  # in the scope of a request that the pages are to refuse
UNAVAILABLE = 503

# What tells how it goes, and what needs no database.
_FREE = re.compile(r"/(healthz|readyz|static/.*)")
_URGENT = re.compile(r"/(login|approvals/[^/]+/decide|executions/[^/]+/cancel)/")


class Places:
    """How many are inside and who waits. Belongs to one event loop."""

    def __init__(self, at_once: int, reserved: int) -> None:
        self._at_once = {True: at_once, False: at_once - reserved}  # urgent or not
        self._waiting: dict[bool, deque[asyncio.Future[bool]]] = {True: deque(), False: deque()}
        self._inside = 0
        self._failed_at = 0.0  # when somebody left whom the database had not answered
        self._looks = False

    async def enter(self, *, urgent: bool) -> bool:
        """False for who is turned away."""
        if self._has_room(urgent):
            self._inside += 1
            return True
        if self._hopeless:
            return False
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[urgent].append(turn)
        if not self._looks:
            self._look()
        try:
            return await asyncio.wait_for(turn, PATIENCE)
        except TimeoutError:
            return False
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result():
                self.leave(well=True)  # a place that came at this moment
            raise

    def leave(self, *, well: bool) -> None:
        """`well`: it got what it wanted from the database."""
        if not well:
            self._failed_at = time.monotonic()
        self._inside -= 1
        self._let_in()

    def _has_room(self, urgent: bool) -> bool:
        return self._inside < self._at_once[urgent]

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
                turn.set_result(False)
        if self._looks:
            asyncio.get_running_loop().call_later(LOOK, self._look)

    def _let_in(self) -> None:
        for urgent in (True, False):
            while self._waiting[urgent] and self._has_room(urgent):
                turn = self._waiting[urgent].popleft()
                if not turn.done():  # who was turned away or has gone away is still in the line
                    self._inside += 1
                    turn.set_result(True)


class Gate:
    """An ASGI application that lets so many requests into another one; `reserved` are for what is urgent.

    One that is turned away goes in without a place, marked: the pages then say so and ask nobody.
    """

    def __init__(self, application: Application, at_once: int, reserved: int) -> None:
        self._application = application
        self._size = at_once, reserved
        self._places: WeakKeyDictionary[asyncio.AbstractEventLoop, Places] = WeakKeyDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _FREE.fullmatch(scope["path"]):
            await self._application(scope, receive, send)
            return
        places = self._places.setdefault(asyncio.get_running_loop(), Places(*self._size))
        if not await places.enter(urgent=bool(_URGENT.fullmatch(scope["path"]))):
            await self._application({**scope, TURNED_AWAY: True}, receive, send)
            return
        visit = _Visit(places, send)
        try:
            await self._application(scope, receive, visit.pass_on)
        finally:
            visit.leave()


class _Visit:
    """A request that has a place, until it holds no connection any more."""

    def __init__(self, places: Places, send: Send) -> None:
        self._places: Places | None = places
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
        if self._places is not None:
            self._places.leave(well=self._well)
            self._places = None


def _is_long(message: Message) -> bool:
    """A stream or a download."""
    headers = {name.lower(): value for name, value in message["headers"]}
    attached = headers.get(b"content-disposition", b"").startswith(b"attachment")
    return attached or headers.get(b"content-type") == b"text/event-stream"
