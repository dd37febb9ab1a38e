"""Who looks at an execution now, kept in Redis for some seconds: a courtesy, and nothing relies on it."""

import logging
import time

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

TIMEOUT = 0.1  # seconds for a connection, and for an answer
REST = 5.0  # seconds without a further try after a failure: pages wait for it
LASTS = 25.0  # seconds that somebody counts as being there who does not say so again


class Presence:
    """Says and tells who is there. Safe in threads, bounded in time, never an error for the caller."""

    def __init__(self, url: str) -> None:
        self._redis: Redis = Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
        self._again_at = 0.0

    def tell(self, execution: str, name: str) -> None:
        """Somebody of this name looks at the execution."""
        if time.monotonic() < self._again_at:
            return
        try:
            with self._redis.pipeline(transaction=False) as line:
                line.zadd(_key(execution), {name: time.time()})
                line.expire(_key(execution), int(LASTS * 2))
                line.execute()
        except (RedisError, OSError) as error:
            self._fail(error)

    def who(self, execution: str) -> tuple[str, ...]:
        """The names of all who look at it, in their order; nobody while Redis is away."""
        if time.monotonic() < self._again_at:
            return ()
        try:
            names = self._redis.zrangebyscore(_key(execution), time.time() - LASTS, "+inf")
        except (RedisError, OSError) as error:
            self._fail(error)
            return ()
        return tuple(sorted(str(name) for name in names))

    def _fail(self, error: Exception) -> None:
        self._again_at = time.monotonic() + REST
        log.warning("Redis is away, nobody is said to be there: %s", error)


def _key(execution: str) -> str:
    return f"cvdops:here:{execution}"
