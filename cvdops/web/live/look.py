"""Reading an execution for all who look at it."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Now

from cvdops.access.policy import seen_with
from cvdops.approvals.queries import decisions_by, requests_by
from cvdops.catalog.models import RunbookVersion
from cvdops.environments import calendar
from cvdops.executions import locks, participants, queues
from cvdops.executions.models import (
    ChecklistMark,
    Event,
    Execution,
    StepAttempt,
    StepRun,
)
from cvdops.executions.pace import Run
from cvdops.executions.past import lasted, past
from cvdops.executions.plan import Plan
from cvdops.executions.queries import plan_of, steps_by
from cvdops.executions.standstill import needs_worker
from cvdops.executions.worked import Within, within
from cvdops.lib.together import Fixed, Wanted, attach, read
from cvdops.live.here import watching
from cvdops.live.timeline import events, told
from cvdops.spec.document import Kind
from cvdops.web.live import waiting
from cvdops.web.live.scene import AT_WORK, Row, Scene
from cvdops.web.live.waiting import known


def look(execution_id: UUID, *more: Wanted) -> Scene:
    """Read everything, and what else a page is made from. Raises Execution.DoesNotExist."""
    execution = next(iter(_executions(execution_id)), None)
    if execution is None:
        raise Execution.DoesNotExist
    now = execution.now
    plan = plan_of(execution.pk)
    queue = execution.environment.queue if needs_worker(execution) else ""
    marks, steps, attempts, requests, decisions, present, happened, *_ = read(
        _marks.of(execution_id),
        steps_by.of(execution_id),
        _attempts.of(execution_id),
        requests_by.of(execution_id),
        decisions_by.of(execution_id),
        participants.here.of(execution_id),
        events.of(execution_id),
        *([queues.workers.of(queue)] if queue else []),
        *more,
    )
    attach(requests, "decisions", decisions, "request_id")
    timeline, notes = told(happened)
    seen, before, inside = _seen(execution, plan), _past(execution.pk), within(steps)
    return Scene(
        execution=execution,
        plan=plan,
        rows=_rows(execution, plan, steps, attempts, marks, seen, before, inside),
        requests=tuple(requests),
        marks=tuple(marks),
        participants=tuple(present),
        timeline=timeline,
        notes=notes,
        now=now,
        parent=known(_parent(execution), seen),
        instead_of=_version(execution.runbook_id, execution.instead_of),
        past=before,
        within=inside,
        wait=waiting.read(execution, seen),
        gap=queues.gap(queue) if queue else None,
        window=calendar.standing(execution.environment_id) if _is_queued(execution) else None,
        watching=() if execution.is_over else watching(execution.pk),
    )


def _is_queued(execution: Execution) -> bool:
    return execution.opens_at is not None and not execution.is_over


@Fixed
def _executions(execution_id: UUID) -> QuerySet[Any]:
    """The one of this id, with the number of the version that an earlier one was chosen over."""
    started = Event.objects.filter(execution=OuterRef("pk"), kind="execution.start").order_by("seq")
    instead = Subquery(started.values("data__instead_of")[:1])
    found = Execution.objects.filter(pk=execution_id).annotate(now=Now(), instead_of=instead)
    related = found.select_related("runbook", "version", "environment", "requested_by", "closing")
    return related.defer("version__source", "plan", "sealed")


@lru_cache(maxsize=64)
def _past(execution_id: UUID) -> tuple[Run, ...]:
    """What came before it, as it was when somebody first looked: read once per process."""
    return past([execution_id])[execution_id]


@lru_cache(maxsize=64)
def _version(runbook: str, number: int | None) -> RunbookVersion | None:
    """The version of this number, which never changes."""
    if number is None:
        return None
    versions = RunbookVersion.objects.filter(runbook=runbook, number=number)
    return versions.defer("source", "metadata", "diagnostics").first()


@Fixed
def _marks(execution_id: UUID) -> QuerySet[ChecklistMark]:
    found = ChecklistMark.objects.filter(execution=execution_id)
    return found.select_related("confirmed_by").order_by("position")


@Fixed
def _attempts(execution_id: UUID) -> QuerySet[StepAttempt]:
    """The latest of each step."""
    found = StepAttempt.objects.filter(step__execution=execution_id)
    return found.order_by("step_id", "-number").distinct("step_id")


def _rows(
    execution: Execution,
    plan: Plan,
    steps: Sequence[StepRun],
    latest: Iterable[StepAttempt],
    marks: Sequence[ChecklistMark],
    seen: Collection[str],
    before: Sequence[Run],
    inside: Mapping[UUID, Within],
) -> tuple[Row, ...]:
    attempts = {attempt.step_id: attempt for attempt in latest}
    several = {key for key, n in Counter(step.key for step in steps).items() if n > 1}
    children = _children(execution, steps)
    current = _current(execution, steps)
    numbers: dict[str, int] = {}
    rows = []
    for step in steps:
        numbers[step.phase] = numbers.get(step.phase, 0) + 1
        rows.append(
            Row(
                step=step,
                definition=plan.step(step.key).step,
                number=numbers[step.phase],
                link=str(step.pk) if step.key in several else step.key,
                attempt=attempts.get(step.pk),
                marks=tuple(mark for mark in marks if mark.step_id == step.pk),
                current=step is current,
                spread=step.key in several,
                child=known(children.get(step.pk), seen),
                slow=lasted(step, before, inside),
            )
        )
    return tuple(rows)


def _seen(execution: Execution, plan: Plan) -> frozenset[str]:
    """The categories that exist for everybody who sees this page, where it could lead to other executions."""
    leads = (
        execution.parent_id is not None
        or plan.children
        or execution.waiting_for.get("code") == locks.CODE
    )
    return seen_with(execution.runbook.category) if leads else frozenset()


def _parent(execution: Execution) -> Execution | None:
    if execution.parent_id is None:
        return None
    found = Execution.objects.select_related("runbook").only(
        "number", "runbook__title", "runbook__category"
    )
    return found.get(steps=execution.parent_id)


def _children(execution: Execution, steps: Sequence[StepRun]) -> dict[UUID, Execution]:
    """By the step that started it, the latest child."""
    if not any(step.kind == Kind.RUNBOOK for step in steps):
        return {}
    found = Execution.objects.filter(parent__execution=execution).order_by("parent_attempt")
    shown = found.select_related("runbook").only(
        "number", "state", "parent_id", "runbook__title", "runbook__category"
    )
    return {child.parent_id: child for child in shown if child.parent_id}


def _current(execution: Execution, steps: Sequence[StepRun]) -> StepRun | None:
    if execution.is_over:
        return None
    here = [step for step in steps if step.phase == execution.phase]
    at_work = [step for step in here if step.state in AT_WORK]
    return at_work[-1] if at_work else None
