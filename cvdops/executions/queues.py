"""Which queues have a worker, by the database's clock: workers say every few seconds that they live."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, DurationField, ExpressionWrapper, Max, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Now

from cvdops.executions.models import Worker
from cvdops.lib import statements
from cvdops.lib.together import Fixed, read

ALIVE = timedelta(seconds=10)  # three times what they take to say so
REMEMBERED = timedelta(days=1)
_ALIVE = Q(left_at=None, seen_at__gte=Now() - ALIVE)


@dataclass(frozen=True, slots=True)
class Gap:
    """A queue without a worker; `since` is None if there was none for as long as is remembered."""

    queue: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Sign:
    """Whether a worker lives, and seconds since the last of all that are remembered did; None: none is."""

    alive: bool
    ago: float | None


def gap(queue: str) -> Gap | None:
    """None if a worker serves this queue now."""
    return gaps([queue]).get(queue)


def gaps(queues: Collection[str]) -> dict[str, Gap]:
    """Those of the queues that no worker serves now, by their names: one query."""
    names = sorted(queues)
    if not names:
        return {}
    found: dict[str, Gap] = {}
    for name, told in zip(names, read(*map(workers.of, names)), strict=True):
        alive, since = told[0] if told else (0, None)
        if not alive:
            found[name] = Gap(name, since)
    return found


@Fixed
def workers(queue: str) -> QuerySet[Worker, tuple[int, datetime]]:
    """How many workers of a queue live, and when the last of all that are remembered did."""
    served = Worker.objects.filter(queues__contains=[queue]).values(queue=Value(queue))
    alive = Count("pk", filter=_ALIVE)
    found = served.annotate(alive=alive, since=Max(Coalesce("left_at", "seen_at")))
    return found.order_by().values_list("alive", "since")


def last_sign() -> Sign:
    """Of all workers together. One query."""
    told = ExpressionWrapper(
        Now() - Max(Coalesce("left_at", "seen_at")), output_field=DurationField()
    )
    found = Worker.objects.aggregate(alive=Count("pk", filter=_ALIVE), ago=told)
    return Sign(found["alive"] > 0, found["ago"].total_seconds() if found["ago"] else None)


def seen(worker: str, queues: Sequence[str]) -> None:
    """It lives, and serves these. Those that nobody has seen for long are forgotten."""
    with statements.cursor() as cursor:
        cursor.execute(
            """
            WITH forgotten AS (
              DELETE FROM executions_worker
               WHERE seen_at < clock_timestamp() - make_interval(secs => %s) AND name <> %s
            )
            INSERT INTO executions_worker (name, queues, seen_at, consumed_at)
            VALUES (%s, %s, clock_timestamp(), clock_timestamp())
            ON CONFLICT (name) DO UPDATE
              SET queues = excluded.queues, seen_at = excluded.seen_at, left_at = NULL
            """,
            [REMEMBERED.total_seconds(), worker, worker, json.dumps(list(queues))],
        )


def proved(worker: str) -> None:
    """It consumes messages."""
    Worker.objects.filter(name=worker).update(consumed_at=Now())


def left(worker: str) -> None:
    """It went away in order; nobody has to wait until it is missed."""
    Worker.objects.filter(name=worker).update(left_at=Now())
