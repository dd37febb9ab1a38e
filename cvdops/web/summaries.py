"""Short facts about many executions at once, for lists: a query for each kind of fact, not each row."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now

from cvdops.access.levels import Level
from cvdops.access.policy import levels
from cvdops.accounts.models import User
from cvdops.catalog.models import Runbook
from cvdops.executions.models import Execution, StepRun
from cvdops.executions.queries import visible_to
from cvdops.executions.states import STEP_OVER, ExecutionState, Phase, StepState

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
class CatalogRow:
    """A runbook in a list, as one person sees it."""

    runbook: Runbook
    level: Level
    last: Execution | None


def with_progress(executions: Iterable[Execution]) -> list[Running]:
    """The executions with their progress, in the same order."""
    found = list(executions)
    progress = _progress(execution.pk for execution in found)
    return [Running(e, progress.get(e.pk, Progress(0, 0, ""))) for e in found]


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


def catalog_rows(user: User, runbooks: Iterable[Runbook]) -> list[CatalogRow]:
    """The runbooks with this person's level and the last execution."""
    found = list(runbooks)
    mine = levels(user)
    newest = visible_to(user).filter(runbook__in=found).order_by("runbook_id", "-id")
    last = {execution.runbook_id: execution for execution in newest.distinct("runbook_id")}
    return [CatalogRow(r, mine[r.category], last.get(r.pk)) for r in found]
