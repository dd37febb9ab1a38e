"""What the mission measures: success, time to complete, time to recovery, freshness of the documents."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Aggregate, Count, DurationField, F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from cvdops.access.policy import Sight, readable_categories, sight
from cvdops.accounts.models import User
from cvdops.catalog import queries as catalog
from cvdops.catalog.freshness import Freshness, freshness
from cvdops.catalog.models import Runbook
from cvdops.executions.models import Execution
from cvdops.executions.queries import visible
from cvdops.executions.states import TERMINAL, ExecutionState
from cvdops.lib.ids import first_of
from cvdops.spec.document import Category

PERIODS = (30, 90, 365)  # days
SUCCESS_TARGET = 95  # percent, of the mission
FRESH = timedelta(days=30)  # within which a document is to be updated, by the mission
COUNTED = 1000  # recoveries: the newest ones
# A cancelled, rejected or expired execution says nothing about the runbook.
TELLING = (ExecutionState.SUCCEEDED, ExecutionState.FAILED, ExecutionState.ROLLED_BACK)
_TOOK = F("finished_at") - F("started_at")


class _Percentile(Aggregate):
    """The duration that so large a part of them keeps to."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one runbook, in the period. `median` and `slow` (the 90th percentile) are of what succeeded."""

    runbook: Runbook
    succeeded: int
    finished: int
    median: timedelta | None
    slow: timedelta | None
    fresh: Freshness

    @property
    def percent(self) -> float | None:
        return _percent(self.succeeded, self.finished)


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
    counted = {row["runbook"]: row for row in _ended(seen, days)}
    found = catalog.runbooks(readable_categories(user)).order_by("title")
    rows = tuple(_figures(runbook, counted.get(runbook.pk, {})) for runbook in found)
    return Metrics(days, rows, _recoveries(_incidents(seen, days)))


def _figures(runbook: Runbook, counted: dict[str, Any]) -> Figures:
    metadata = runbook.newest.metadata if runbook.newest else {}
    return Figures(
        runbook,
        counted.get("succeeded", 0),
        counted.get("finished", 0),
        counted.get("median"),
        counted.get("slow"),
        freshness(metadata, runbook.category, _today()),
    )


def _ended(seen: Sight, days: int) -> QuerySet[Any, Any]:
    """By runbook: what has succeeded or failed, and how long it took."""
    won = Q(state=ExecutionState.SUCCEEDED)
    found = _since(seen, days).filter(state__in=TELLING).order_by().values("runbook")
    return found.annotate(
        finished=Count("pk"),
        succeeded=Count("pk", filter=won),
        median=_Percentile(_TOOK, filter=won, fraction=0.5),
        slow=_Percentile(_TOOK, filter=won, fraction=0.9),
    )


def _incidents(seen: Sight, days: int) -> QuerySet[Execution, tuple[str, timedelta | None]]:
    """State and time of emergencies and of incident runbooks, from their declaration or the request on."""
    about = Q(emergency__isnull=False) | Q(runbook__category=Category.INCIDENTS)
    found = _since(seen, days).filter(about, parent=None, environment__practice=False)
    began = Coalesce("emergency__declared_at", "created_at")
    return found.order_by("-id").values_list("state", F("finished_at") - began)[:COUNTED]


def _recoveries(found: Iterable[tuple[str, timedelta | None]]) -> Recoveries:
    """Who cancelled, refused or let expire had no recovery to wait for: these count nowhere."""
    rows = [(s, took) for s, took in found if s not in TERMINAL or s in TELLING]
    times = tuple(took for s, took in rows if s == ExecutionState.SUCCEEDED and took is not None)
    return Recoveries(times, len(rows) - len(times))


def _since(seen: Sight, days: int) -> QuerySet[Execution]:
    since = first_of(time.time() - timedelta(days=days).total_seconds())
    return visible(seen).filter(pk__gte=since)


def _percent(succeeded: int, finished: int) -> float | None:
    return round(100 * succeeded / finished, 1) if finished else None


def _today() -> date:
    return timezone.now().date()
