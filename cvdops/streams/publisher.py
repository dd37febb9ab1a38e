"""Sending hints: bounded in time, and never an error for the caller."""

import logging
import time

from redis import Redis, RedisError

from cvdops.streams import KEY, LENGTH

log = logging.getLogger(__name__)

TIMEOUT = 0.2  # seconds for a connection or an answer
REST = 1.0  # seconds without a further try after a failure


class Publisher:
    """Announces that executions have moved. One per process; safe in threads."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, max_connections=64
        )
        self._again_at = 0.0

    def announce(self, execution: str, seq: int) -> None:
        """Say that this execution has come to this position. A failure is logged and forgotten."""
        if time.monotonic() < self._again_at:
            return
        try:
            self._redis.xadd(KEY, {"e": execution, "s": seq}, maxlen=LENGTH, approximate=True)
        except RedisError as error:
            self._again_at = time.monotonic() + REST
            log.warning("Redis is away, viewers poll: %s", error)
