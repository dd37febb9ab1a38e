"""Short facts about many executions at once, for lists: a query for each kind of fact, not each row."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject, Now
from django.utils import timezone

from cvdops.access.levels import Level
from cvdops.access.policy import Sight, levels, readable_categories, sight
from cvdops.accounts.models import User
from cvdops.catalog import queries
from cvdops.catalog.freshness import Freshness, freshness
from cvdops.catalog.models import Runbook
from cvdops.executions import standstill
from cvdops.executions.metrics import COUNTED, SUCCESS_TARGET, TELLING
from cvdops.executions.models import Execution, StepRun
from cvdops.executions.past import Ahead, ahead, past, runs
from cvdops.executions.queries import newest_of, visible
from cvdops.executions.states import (
    EXECUTION_LOOKS,
    HELD,
    STEP_DONE,
    UNHEARD,
    ExecutionState,
    Look,
    Phase,
    StepState,
)
from cvdops.executions.worked import within
from cvdops.lib import together
from cvdops.lib.ids import first_within
from cvdops.lib.together import Fixed, Wanted
from cvdops.spec.document import Kind
from cvdops.web.live import waiting
from cvdops.web.live.waiting import Brief

SUCCESS_WINDOW = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an execution is, and the step it is at."""

    done: int
    total: int
    step: str
    gate: str = ""  # the next approval on its way


@dataclass(frozen=True, slots=True)
class Running:
    """A row of a list of what is going on."""

    execution: Execution
    progress: Progress
    waits: Brief
    ahead: Ahead

    @property
    def look(self) -> Look:
        return standstill.look(self.execution)


@dataclass(frozen=True, slots=True)
class SuccessRate:
    """Of what was started in the last 30 days and has succeeded or failed, at most the last 1,000."""

    succeeded: int
    finished: int

    @property
    def percent(self) -> float | None:
        return round(100 * self.succeeded / self.finished, 1) if self.finished else None

    @property
    def of(self) -> str:
        return "the last 1,000" if self.finished == COUNTED else f"{self.finished} in 30 days"

    @property
    def met(self) -> bool:
        return self.percent is None or self.percent >= SUCCESS_TARGET


@dataclass(frozen=True, slots=True)
class Last:
    """The newest execution of a runbook."""

    pk: UUID
    state: str
    created_at: datetime
    held: bool  # by a worker that is heard of

    @property
    def look(self) -> Look:
        return UNHEARD if self.state in HELD and not self.held else EXECUTION_LOOKS[self.state]


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """A runbook in a list, as one person sees it."""

    runbook: Runbook
    level: Level
    last: Last | None
    fresh: Freshness


def with_progress(found: Sequence[Any]) -> list[Running]:
    """The executions, read with the time as their `now`, with their progress, in the same order."""
    together.ahead(*reads(found))
    steps, earlier, waits = _steps(found), past(_begun(found)), waiting.briefs(found)
    inside = within(step for of_one in steps.values() for step in of_one)
    return [
        Running(
            e,
            _progress(steps[e.pk]),
            waits[e.pk],
            ahead(e, steps[e.pk], earlier.get(e.pk, ()), e.now, inside),
        )
        for e in found
    ]


def reads(found: Sequence[Any]) -> Iterator[Wanted]:
    """What `with_progress` reads of them, for lists that read more together with it."""
    if found:
        yield forward.of(_ids(found))
    if begun := _begun(found):
        yield runs.of(begun)
    yield from waiting.reads(found)


@Fixed
def forward(executions: tuple[UUID, ...]) -> QuerySet[StepRun]:
    """Their steps of the way forward, in their order."""
    found = StepRun.objects.filter(execution__in=executions, phase=Phase.FORWARD)
    return found.order_by("position", "lane").defer("note", "sample_detail")


def _ids(found: Iterable[Execution]) -> tuple[UUID, ...]:
    return tuple(execution.pk for execution in found)


def _begun(found: Iterable[Execution]) -> tuple[UUID, ...]:
    return _ids(execution for execution in found if execution.started_at)


def _steps(found: Sequence[Execution]) -> Mapping[UUID, list[StepRun]]:
    steps: dict[UUID, list[StepRun]] = defaultdict(list)
    for step in forward(_ids(found)) if found else ():
        steps[step.execution_id].append(step)
    return steps


def _progress(steps: Sequence[StepRun]) -> Progress:
    at_it = [s for s in steps if s.state in (StepState.RUNNING, StepState.WAITING)]
    gates = [s for s in steps if s.kind == Kind.APPROVAL and s.state == StepState.PENDING]
    return Progress(
        done=sum(s.state in STEP_DONE for s in steps),
        total=len(steps),
        step=at_it[-1].title if at_it else "",
        gate=gates[0].title if gates else "",
    )


def success_rate(user: User, runbook: str = "") -> SuccessRate:
    """Of one runbook or of all that this person sees."""
    states = [state for (state,) in ended(sight(user), runbook, lately())]
    return SuccessRate(states.count(ExecutionState.SUCCEEDED), len(states))


def lately() -> UUID:
    """What the id of nothing is less than that was started in the last 30 days, to the minute."""
    return first_within(SUCCESS_WINDOW.total_seconds())


@Fixed
def ended(sight: Sight, runbook: str, since: UUID) -> QuerySet[Execution, tuple[str]]:
    """How the newest of those ended that were started since."""
    found = visible(sight).filter(state__in=TELLING, pk__gte=since)
    if runbook:
        found = found.filter(runbook=runbook)
    return found.order_by("-id").values_list("state")[:COUNTED]


def catalog_rows(user: User) -> list[CatalogRow]:
    """The runbooks that exist for this person, with their level and the last execution."""
    mine = levels(user)
    found, today = runbooks(readable_categories(user), sight(user)), timezone.now().date()
    return [CatalogRow(r, mine[r.category], _last(r.last), _fresh(r, today)) for r in found]


def _fresh(runbook: Runbook, today: date) -> Freshness:
    return freshness(runbook.newest.metadata if runbook.newest else {}, runbook.category, today)


@Fixed
def runbooks(categories: frozenset[str], sight: Sight) -> QuerySet[Any]:
    """The same runbooks with what is said of the last."""
    # One look into an index for each runbook, however many executions there are.
    newest = newest_of(sight, OuterRef("category"), runbook=OuterRef("pk"))
    held = Q(lease_until__gte=Now())
    facts = JSONObject(pk="pk", state="state", created_at="created_at", held=held)
    return queries.runbooks(categories).annotate(last=Subquery(newest.values_list(facts)[:1]))


def _last(facts: dict[str, Any] | None) -> Last | None:
    if facts is None:
        return None
    at = datetime.fromisoformat(facts["created_at"])
    return Last(UUID(facts["pk"]), facts["state"], at, held=bool(facts["held"]))
