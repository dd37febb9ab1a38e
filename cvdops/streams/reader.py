"""Hearing hints: one Redis connection for everything that this process follows."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from cvdops.streams import KEY

log = logging.getLogger(__name__)

BLOCK = 2000  # milliseconds
TIMEOUT = (
    3.0  # seconds: longer than a block, or the client would end it; a frozen Redis counts as away
)
PAUSES = (0.1, 0.5, 1.0, 2.0)  # seconds between tries to reach Redis again


class Reader:
    """Follows executions by hints. While it is not `connected`, those who follow look by themselves.

    Belongs to one event loop. Holds no connection when nobody follows.
    """

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=1.0,
            retry=Retry(NoBackoff(), 0),  # ours below tells the followers meanwhile
        )
        self._signals: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self.connected = False

    @contextmanager
    def follow(self, execution: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the execution may have moved. Clear it before looking."""
        signal = asyncio.Event()
        self._signals[execution].add(signal)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._read(), name="hints")
        try:
            yield signal
        finally:
            self._signals[execution].discard(signal)
            if not self._signals[execution]:
                del self._signals[execution]

    async def _read(self) -> None:
        """Read while somebody follows anything; reach for Redis again for as long as that takes."""
        failures = 0
        try:
            while self._signals:
                try:
                    await self._follow_stream()
                except (RedisError, OSError) as error:
                    if self.connected:
                        log.warning("Redis is away, viewers poll: %s", error)
                        failures = 0
                    self.connected = False
                    await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
                    failures += 1
        finally:
            self.connected = False

    async def _follow_stream(self) -> None:
        try:
            newest: Any = await self._redis.xrevrange(KEY, count=1)
            position: str = newest[0][0] if newest else "0"
            self.connected = True
            self._set(set(self._signals))  # what came while nobody listened
            while self._signals:
                answer: Any = await self._redis.xread({KEY: position}, count=1000, block=BLOCK)
                for _key, entries in answer or []:
                    position = entries[-1][0]
                    self._set({fields.get("e", "") for _id, fields in entries})
        finally:
            await self._redis.aclose()

    def _set(self, executions: set[str]) -> None:
        for execution in executions & self._signals.keys():
            for signal in self._signals[execution]:
                signal.set()
