"""Ends open streams when the web server is told to stop, so that it need not wait for them."""

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType

_draining = threading.Event()
Handler = Callable[[int, FrameType | None], object]


def draining() -> bool:
    """Whether this process is going down: it takes no new streams and is not ready."""
    return _draining.is_set()


def on_stop(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    """Call `act` in the loop when TERM or INT comes, then let the server's own handler have it.

    The server puts its handlers in place before it serves, so this is called with the first stream.
    Elsewhere than in the main thread no handler can be put in place, and none is.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)
        if callable(before):
            signal.signal(number, _chained(before, loop, act))


def _chained(before: Handler, loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> Handler:
    def handler(number: int, frame: FrameType | None) -> None:
        _draining.set()
        if not loop.is_closed():
            loop.call_soon_threadsafe(act)
        before(number, frame)

    return handler
