"""Hearing hints: one Redis connection for everything that this process follows."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from cvdops.streams import KEY

log = logging.getLogger(__name__)

BLOCK = 2000  # milliseconds; the client's own socket timeout is longer, or it would end the reader
TIMEOUT = 5.0  # seconds
RETRY = (0.1, 0.5, 1.0, 2.0)  # seconds between tries to reach Redis again


class Reader:
    """Follows executions by hints. While it is not `connected`, those who follow look by themselves."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url, decode_responses=True, socket_timeout=TIMEOUT, socket_connect_timeout=1.0
        )
        self._signals: defaultdict[str, Counter[asyncio.Event]] = defaultdict(Counter)
        self._task: asyncio.Task[None] | None = None
        self.connected = False

    @contextmanager
    def follow(self, execution: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the execution may have moved. Clear it before looking."""
        signal = asyncio.Event()
        self._signals[execution][signal] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._read(), name="hints")
        try:
            yield signal
        finally:
            del self._signals[execution][signal]
            if not self._signals[execution]:
                del self._signals[execution]

    async def close(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
        await self._redis.aclose()

    async def _read(self) -> None:
        """Read while somebody follows anything; reach for Redis again for as long as that takes."""
        failures = 0
        while self._signals:
            try:
                await self._follow_stream()
                failures = 0
            except (RedisError, OSError) as error:
                if self.connected:
                    log.warning("Redis is away, viewers poll: %s", error)
                self.connected = False
                await asyncio.sleep(RETRY[min(failures, len(RETRY) - 1)])
                failures += 1
        self.connected = False

    async def _follow_stream(self) -> None:
        newest: Any = await self._redis.xrevrange(KEY, count=1)
        position: str = newest[0][0] if newest else "0"
        self.connected = True
        self._set_all()  # what came while nobody listened
        while self._signals:
            answer: Any = await self._redis.xread({KEY: position}, count=1000, block=BLOCK)
            for _key, entries in answer or []:
                position = entries[-1][0]
                self._set({fields.get("e", "") for _id, fields in entries})

    def _set(self, executions: set[str]) -> None:
        for execution in executions & self._signals.keys():
            for signal in self._signals[execution]:
                signal.set()

    def _set_all(self) -> None:
        self._set(set(self._signals))
