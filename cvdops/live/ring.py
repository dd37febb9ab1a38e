"""The newest frames of one execution, shared by all its viewers. One event loop, no locks."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

MAX_FRAMES = 1_000
MAX_BYTES = 2 << 20
AT_ONCE = 64 << 10  # bytes that are given to a viewer before it is asked whether it takes more


class Behind(Exception):
    """The viewer needs frames that are gone: it has to read the page anew."""


class Ring:
    """Frames in order, each once and already encoded. A viewer holds nothing but its place in it."""

    def __init__(self, position: int) -> None:
        self.position = position  # everything up to it has been appended
        self._base = position  # everything after it is still here
        self._frames: deque[tuple[int, bytes]] = deque()
        self._first = 0  # the running number of the oldest frame
        self._size = 0
        self._changed = asyncio.Event()
        self._closed = False

    def append(self, frames: list[bytes], position: int) -> None:
        """Add the frames that bring a viewer to this position, and wake all viewers."""
        self.position = position
        for data in frames:
            self._frames.append((position, data))
            self._size += len(data)
        while len(self._frames) > MAX_FRAMES or self._size > MAX_BYTES:
            self._base, data = self._frames.popleft()
            self._size -= len(data)
            self._first += 1
        self._wake()

    def close(self) -> None:
        """No more will come: viewers end when they have everything."""
        self._closed = True
        self._wake()

    @property
    def closed(self) -> bool:
        return self._closed

    async def follow(self, position: int) -> AsyncGenerator[bytes, None]:
        """Everything after a position, as it comes. Raises Behind at the beginning or later."""
        cursor = self._place(position)
        while True:
            if cursor < self._first:
                raise Behind
            if fresh := self._some(cursor - self._first):
                cursor += len(fresh)
                yield fresh[0] if len(fresh) == 1 else b"".join(fresh)
            elif self._closed:
                return
            else:
                await self._changed.wait()

    def _some(self, index: int) -> list[bytes]:
        """The next frames from an index on, as many as a slow viewer may keep in memory."""
        # By index, near the end, where a deque is fast: this runs for each viewer and turn.
        some, size = [], 0
        while index < len(self._frames) and size < AT_ONCE:
            some.append(self._frames[index][1])
            size += len(some[-1])
            index += 1
        return some

    def _place(self, position: int) -> int:
        if position < self._base:
            raise Behind
        older = sum(1 for at, _ in self._frames if at <= position)
        return self._first + older

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
