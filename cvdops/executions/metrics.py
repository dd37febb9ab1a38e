"""What the mission measures: success, time to complete, time to recovery, freshness of the documents."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import (
    Aggregate,
    Count,
    F,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce, Extract, JSONObject
from django.utils import timezone

from cvdops.access.policy import Sight, readable_categories, sight
from cvdops.accounts.models import User
from cvdops.catalog import queries as catalog
from cvdops.catalog.freshness import Freshness, freshness
from cvdops.catalog.models import Runbook
from cvdops.executions.models import Execution
from cvdops.executions.pace import FEWEST
from cvdops.executions.queries import newest_of, visible
from cvdops.executions.states import TERMINAL, ExecutionState
from cvdops.lib.ids import first_of
from cvdops.spec.document import Category

PERIODS = (30, 90, 365)  # days
SUCCESS_TARGET = 95  # percent, of the mission
FRESH = timedelta(days=30)  # within which a document is to be updated, by the mission
# The newest ones, of each runbook and of the recoveries: no page counts what a year of them would be.
COUNTED = 1000
# A cancelled, rejected or expired execution says nothing about the runbook.
TELLING = (ExecutionState.SUCCEEDED, ExecutionState.FAILED, ExecutionState.ROLLED_BACK)
_SECONDS = Extract(F("finished_at") - F("started_at"), "epoch")


class _Percentile(Aggregate):
    """The least value that so large a part of them does not exceed (nearest rank)."""

    function = "PERCENTILE_DISC"
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one runbook, in the period. `median` and `slow` (the 90th percentile) are of what succeeded.

    They are None where too few have succeeded to tell.
    There may be more than the newest that are counted.
    """

    runbook: Runbook
    succeeded: int
    finished: int
    median: timedelta | None
    slow: timedelta | None
    fresh: Freshness

    fewest: ClassVar[int] = FEWEST

    @property
    def percent(self) -> float | None:
        return _percent(self.succeeded, self.finished)

    @property
    def full(self) -> bool:
        """So many are counted that there may be more."""
        return self.finished == COUNTED


@dataclass(frozen=True, slots=True)
class Recoveries:
    """How long it took from an incident to its successful end. `others`: they ended otherwise, or go on."""

    times: tuple[timedelta, ...]
    others: int

    @property
    def mean(self) -> timedelta | None:
        return sum(self.times, timedelta()) / len(self.times) if self.times else None


@dataclass(frozen=True, slots=True)
class Metrics:
    """All of it, as far as one person sees it, of what was started in so many days."""

    days: int
    rows: tuple[Figures, ...]
    recoveries: Recoveries

    @property
    def succeeded(self) -> int:
        return sum(row.succeeded for row in self.rows)

    @property
    def finished(self) -> int:
        return sum(row.finished for row in self.rows)

    @property
    def percent(self) -> float | None:
        return _percent(self.succeeded, self.finished)

    @property
    def met(self) -> bool:
        return self.percent is None or self.percent >= SUCCESS_TARGET

    @property
    def fresh(self) -> int:
        """How many documents were updated in the last thirty days."""
        return sum(row.fresh.within(FRESH, _today()) for row in self.rows)


def metrics(user: User, days: int) -> Metrics:
    """Of the runbooks that are in the source now, and of the executions that this person sees."""
    seen = sight(user)
    found = catalog.runbooks(readable_categories(user)).order_by("title")
    rows = tuple(_figures(row) for row in found.annotate(counted=Subquery(_ended(seen, days))))
    return Metrics(days, rows, _recoveries(_incidents(seen, days)))


def _figures(runbook: Any) -> Figures:
    metadata = runbook.newest.metadata if runbook.newest else {}
    counted = runbook.counted or {}
    tells = counted.get("succeeded", 0) >= FEWEST
    return Figures(
        runbook,
        counted.get("succeeded", 0),
        counted.get("finished", 0),
        timedelta(seconds=counted["median"]) if tells else None,
        timedelta(seconds=counted["slow"]) if tells else None,
        freshness(metadata, runbook.category, _today()),
    )


def _ended(seen: Sight, days: int) -> QuerySet[Any, Any]:
    """Of one runbook: what has succeeded or failed, and how long it took. It looks at the newest alone."""
    won = Q(state=ExecutionState.SUCCEEDED)
    runbook, category = OuterRef(OuterRef("pk")), OuterRef(OuterRef("category"))
    newest = newest_of(seen, category, runbook=runbook)
    newest = newest.filter(pk__gte=_first(days), state__in=TELLING)
    counted = Execution.objects.filter(pk__in=newest.values("pk")[:COUNTED])
    figures = JSONObject(
        finished=Count("pk"),
        succeeded=Count("pk", filter=won),
        median=_Percentile(_SECONDS, filter=won, fraction=0.5),
        slow=_Percentile(_SECONDS, filter=won, fraction=0.9),
    )
    return counted.order_by().values("runbook").annotate(figures=figures).values("figures")


def _incidents(seen: Sight, days: int) -> list[tuple[str, timedelta | None]]:
    """State and time of emergencies and of incident runbooks, from their declaration or the request on.

    Each kind is asked for by itself: together no index would find them.
    """
    began = Coalesce("emergency__declared_at", "created_at")
    found = _since(seen, days).filter(parent=None, environment__practice=False).order_by("-id")
    told = found.values_list("pk", "state", F("finished_at") - began)
    about = list(Runbook.objects.filter(category=Category.INCIDENTS).values_list("pk", flat=True))
    kinds = (told.filter(emergency__isnull=False), told.filter(runbook__in=about))
    rows = {pk: (state, took) for kind in kinds for pk, state, took in kind[:COUNTED]}
    return [rows[pk] for pk in sorted(rows, reverse=True)[:COUNTED]]


def _recoveries(found: Iterable[tuple[str, timedelta | None]]) -> Recoveries:
    """Who cancelled, refused or let expire had no recovery to wait for: these count nowhere."""
    rows = [(s, took) for s, took in found if s not in TERMINAL or s in TELLING]
    times = tuple(took for s, took in rows if s == ExecutionState.SUCCEEDED and took is not None)
    return Recoveries(times, len(rows) - len(times))


def _since(seen: Sight, days: int) -> QuerySet[Execution]:
    return visible(seen).filter(pk__gte=_first(days))


def _first(days: int) -> UUID:
    """The first id of so many days."""
    return first_of(time.time() - timedelta(days=days).total_seconds())


def _percent(succeeded: int, finished: int) -> float | None:
    return round(100 * succeeded / finished, 1) if finished else None


def _today() -> date:
    return timezone.now().date()
