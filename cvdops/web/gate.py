"""The gate of a web process: no more requests inside at once than the database has connections for.

Every request has a thread and a connection of its own. Without a gate a burst of them would wait at the
pool, and those that wait too long would fail; here they wait their turn, in the order of coming.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

Message = dict[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Any], Awaitable[None]]

PATIENCE = 4.0  # seconds: who waits longer is better told so
FREE = frozenset({"/healthz"})  # asks nothing but the process
_STREAM = (b"content-type", b"text/event-stream")
_FULL = b"Too many requests at once. Nothing was done: send it again in a moment.\n"


class Gate:
    """An ASGI application that lets `at_once` requests into another one. Streams count until they begin."""

    def __init__(self, application: Application, at_once: int) -> None:
        self._application = application
        self._at_once = at_once
        self._places: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
            WeakKeyDictionary()
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in FREE:
            await self._application(scope, receive, send)
            return
        async with AsyncExitStack() as inside:
            try:
                await inside.enter_async_context(self._place())
            except TimeoutError:
                await _refuse(send)
                return

            async def pass_on(message: Message) -> None:
                # A stream holds no connection from here on, and may stay open for hours.
                if message["type"] == "http.response.start" and _begins_stream(message):
                    await inside.aclose()
                await send(message)

            await self._application(scope, receive, pass_on)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """Raises TimeoutError."""
        loop = asyncio.get_running_loop()
        places = self._places.setdefault(loop, asyncio.Semaphore(self._at_once))
        async with asyncio.timeout(PATIENCE):
            await places.acquire()
        try:
            yield
        finally:
            places.release()


def _begins_stream(message: Message) -> bool:
    return _STREAM in ((name.lower(), value) for name, value in message["headers"])


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain"), (b"retry-after", b"1")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": _FULL})
