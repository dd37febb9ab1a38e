"""Hints to others that an execution has moved: to viewers over a Redis stream, to workers over Celery.

Both may be lost, doubled or late: whoever gets one looks into the database. Sent after the commit;
a failure to send is ignored, since the workers' own search and the viewers' polling make up for it.
"""

import time
from functools import cache
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db import transaction

from cvdops.lib.failpoints import failpoint
from cvdops.lib.outage import REDIS
from cvdops.streams.herald import Herald
from cvdops.streams.publisher import Publisher

REST = 1.0  # seconds without a further try after a failure
_again_at = 0.0


@cache
def _herald() -> Herald:
    return Herald(Publisher(settings.REDIS_URL))


def announce(execution: UUID, seq: int) -> None:
    """Tell viewers, once the transaction is committed."""
    transaction.on_commit(lambda: _announce(execution, seq))


def wake(execution: UUID, queue: str) -> None:
    """Ask a worker of the queue to look at the execution, once the transaction is committed."""
    transaction.on_commit(lambda: _send("executions.advance", [str(execution)], queue))


def ask_for_check(check: UUID, queue: str) -> None:
    """Ask a worker of the queue to do a test of a host, once the transaction is committed."""
    transaction.on_commit(lambda: _send("executions.check", [str(check)], queue))


def _announce(execution: UUID, seq: int) -> None:
    failpoint("announce")
    _herald().announce(str(execution), seq)


def send_canary(worker: str, queue: str) -> bool:
    """A message of a worker to itself, by which it proves that it consumes. Whether Redis took it."""
    return _send("executions.canary", [worker], queue)


def send_look(queue: str) -> None:
    """Ask for a look at the source of the runbooks."""
    _send("catalog.look", [], queue)


def _send(task: str, arguments: list[str], queue: str) -> bool:
    """Takes half a second at most; after a failure nothing is tried for a second, because pages wait."""
    global _again_at
    failpoint("send")
    if time.monotonic() < _again_at:
        return False
    try:
        current_app.send_task(task, arguments, queue=queue)
    except (
        Exception
    ) as error:  # whatever its client raises: the row is there, a worker looks for it
        _again_at = time.monotonic() + REST
        REDIS.began(error)
        return False
    REDIS.ended()
    return True
