"""Short facts about many executions at once, for lists: a query for each kind of fact, not each row."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject, Now

from cvdops.access.catalog import visible_runbooks
from cvdops.access.levels import Level
from cvdops.access.policy import levels
from cvdops.accounts.models import User
from cvdops.catalog.models import Runbook
from cvdops.executions.models import Execution, StepRun
from cvdops.executions.queries import visible_to
from cvdops.executions.states import (
    EXECUTION_LOOKS,
    STEP_OVER,
    ExecutionState,
    Look,
    Phase,
    StepState,
)
from cvdops.web.live.waiting import Brief, briefs

SUCCESS_TARGET = 95  # percent, of the mission document
SUCCESS_WINDOW = timedelta(days=30)
# A cancelled, rejected or expired execution says nothing about the runbook.
TELLING = (ExecutionState.SUCCEEDED, ExecutionState.FAILED, ExecutionState.ROLLED_BACK)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an execution is, and the step it is at."""

    done: int
    total: int
    step: str


@dataclass(frozen=True, slots=True)
class Running:
    """A row of a list of what is going on."""

    execution: Execution
    progress: Progress
    waits: Brief


@dataclass(frozen=True, slots=True)
class SuccessRate:
    succeeded: int
    finished: int

    @property
    def percent(self) -> float | None:
        return round(100 * self.succeeded / self.finished, 1) if self.finished else None

    @property
    def met(self) -> bool:
        return self.percent is None or self.percent >= SUCCESS_TARGET


@dataclass(frozen=True, slots=True)
class Last:
    """The newest execution of a runbook."""

    pk: UUID
    state: str
    created_at: datetime

    @property
    def look(self) -> Look:
        return EXECUTION_LOOKS[self.state]


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """A runbook in a list, as one person sees it."""

    runbook: Runbook
    level: Level
    last: Last | None


def with_progress(executions: Iterable[Execution]) -> list[Running]:
    """The executions with their progress, in the same order."""
    found = list(executions)
    progress = _progress(execution.pk for execution in found)
    waits = briefs(found)
    return [Running(e, progress.get(e.pk, Progress(0, 0, "")), waits[e.pk]) for e in found]


def _progress(ids: Iterable[UUID]) -> dict[UUID, Progress]:
    steps = StepRun.objects.filter(execution__in=list(ids), phase=Phase.FORWARD)
    found: dict[UUID, Progress] = {}
    rows = steps.order_by("position").values_list("execution_id", "state", "title")
    for execution_id, state, title in rows:
        before = found.get(execution_id, Progress(0, 0, ""))
        at_it = state in (StepState.RUNNING, StepState.WAITING)
        found[execution_id] = Progress(
            before.done + (state in STEP_OVER), before.total + 1, title if at_it else before.step
        )
    return found


def success_rate(executions: QuerySet[Execution]) -> SuccessRate:
    """Of those that ended in the last 30 days by succeeding or failing."""
    counts = executions.filter(
        state__in=TELLING, finished_at__gte=Now() - SUCCESS_WINDOW
    ).aggregate(
        finished=Count("pk"), succeeded=Count("pk", filter=Q(state=ExecutionState.SUCCEEDED))
    )
    return SuccessRate(counts["succeeded"], counts["finished"])


def catalog_rows(user: User) -> list[CatalogRow]:
    """The runbooks that exist for this person, with their level and the last execution."""
    mine = levels(user)
    # One look into an index for each runbook, however many executions there are.
    newest = visible_to(user).filter(runbook=OuterRef("pk")).order_by("-id")
    facts = JSONObject(pk="pk", state="state", created_at="created_at")
    found = visible_runbooks(user).annotate(last=Subquery(newest.values_list(facts)[:1]))
    return [CatalogRow(r, mine[r.category], _last(r.last)) for r in found]


def _last(facts: dict[str, str] | None) -> Last | None:
    if facts is None:
        return None
    return Last(UUID(facts["pk"]), facts["state"], datetime.fromisoformat(facts["created_at"]))
