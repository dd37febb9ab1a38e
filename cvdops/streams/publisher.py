"""Sending hints: bounded in time, and never an error for the caller."""

import time

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from cvdops.lib.outage import REDIS
from cvdops.streams import KEY, LENGTH

TIMEOUT = 0.2  # seconds for a connection, and for an answer
REST = 1.0  # seconds without a further try after a failure


class Publisher:
    """Announces that executions have moved. One per process; safe in threads."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 0),
            max_connections=64,
        )
        self._again_at = 0.0
        self.failures = 0  # hints that were not sent

    def announce(self, execution: str, seq: int) -> None:
        """Say that this execution has come to this position. Takes 0.4 s at most.

        After a failure nothing is tried for a second: a step must not wait for a broker that is away.
        """
        if time.monotonic() < self._again_at:
            self.failures += 1
            return
        try:
            self._redis.xadd(KEY, {"e": execution, "s": seq}, maxlen=LENGTH, approximate=True)
        except (RedisError, OSError) as error:
            self._again_at = time.monotonic() + REST
            self.failures += 1
            REDIS.began(error)
        else:
            REDIS.ended()
