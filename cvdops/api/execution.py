"""An execution as the API shows it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from pydantic import BaseModel

from cvdops.access.policy import Sight, sees, sight
from cvdops.accounts.models import User
from cvdops.api import approvals
from cvdops.approvals.queries import decisions_by, requests_by
from cvdops.executions import locks, openings, queries, standstill
from cvdops.executions.models import ChecklistMark, Emergency, Execution, Lock, StepRun
from cvdops.executions.priorities import Priority
from cvdops.executions.rollback import UndoEntry
from cvdops.executions.situation import Situation
from cvdops.lib.errors import NotFound
from cvdops.lib.together import Fixed, attach, read


class Waiting(BaseModel):
    """What it waits for: a stable code and the sentence."""

    code: str
    text: str


class HeldLock(BaseModel):
    """A lock that it waits for. `execution`, which holds it, is null where that is nobody, or one that you
    may not see."""

    name: str
    execution: UUID | None
    number: int | None
    runbook: str | None
    since: datetime | None


class WaitingDetail(Waiting):
    """With the locks that it waits for, and who holds them."""

    locks: list[HeldLock]


class ExecutionItem(BaseModel):
    """`intent` is what somebody has asked for and a worker will do: pause, cancel, give_up, or empty.

    `opens_at`: it is queued and begins then, by the windows as they are now.
    `position` rises with everything that happens to it; its events can be followed from there.
    """

    id: UUID
    number: int
    url: str
    runbook: str
    version: str
    procedure: str
    environment: str
    state: str
    intent: str
    waiting_for: Waiting | None
    requested_by: str
    reason: str
    outcome: str
    plan_digest: str
    created_at: datetime
    opens_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    position: int


class StepShape(BaseModel):
    """A step on one host. `attempt` is the number of the last try, 0 before the first."""

    id: str
    title: str
    section: str
    kind: str
    phase: str
    host: str
    state: str
    attempt: int
    exit_code: int | None
    note: str
    started_at: datetime | None
    finished_at: datetime | None
    sample: str

    @classmethod
    def of(cls, step: StepRun) -> "StepShape":
        return cls(
            id=step.key,
            title=step.title,
            section=step.section,
            kind=step.kind,
            phase=step.phase,
            host=step.host,
            state=step.state,
            attempt=step.attempt_count,
            exit_code=step.exit_code,
            note=step.note,
            started_at=step.started_at,
            finished_at=step.finished_at,
            sample=step.sample,
        )


class UndoShape(BaseModel):
    """What could be undone, newest first; `rollback` is empty at a point of no return."""

    step: str
    host: str
    rollback: str
    done_at: datetime | None

    @classmethod
    def of(cls, entry: UndoEntry) -> "UndoShape":
        return cls(
            step=entry.step_key, host=entry.host, rollback=entry.rollback_key, done_at=entry.done_at
        )


class ChecklistItem(BaseModel):
    """An item; with `confirmed_at` and without `confirmed_by` the portal has verified it itself."""

    moment: str
    step: str | None
    position: int
    text: str
    confirmed_by: str | None
    confirmed_at: datetime | None

    @classmethod
    def of(cls, mark: ChecklistMark) -> "ChecklistItem":
        return cls(
            moment=mark.moment,
            step=mark.step.key if mark.step else None,
            position=mark.position,
            text=mark.text,
            confirmed_by=mark.confirmed_by.username if mark.confirmed_by else None,
            confirmed_at=mark.confirmed_at,
        )


class EmergencyShape(BaseModel):
    """As it was declared, and its review. `review_due`: null while it goes on, and when it is written."""

    priority: Priority
    reason: str
    declared_by: str
    declared_at: datetime
    notified_at: datetime | None
    short_notice: str
    review: str
    reviewed_by: str
    reviewed_at: datetime | None
    review_due: datetime | None

    @classmethod
    def of(cls, emergency: Emergency) -> "EmergencyShape":
        return cls(
            priority=Priority(emergency.priority),
            reason=emergency.reason,
            declared_by=emergency.declared_by.username,
            declared_at=emergency.declared_at,
            notified_at=emergency.notified_at,
            short_notice=emergency.short_notice,
            review=emergency.review,
            reviewed_by=emergency.reviewed_by.username if emergency.reviewed_by else "",
            reviewed_at=emergency.reviewed_at,
            review_due=emergency.review_due,
        )


class ExecutionDetail(ExecutionItem):
    """`variables` as resolved at the start; secret ones are not among them.

    `situation` is another one after each state and each new try, not after notes or output. As `seen` of a
    control it says what you decided on: when it has moved on since, nothing is done.
    """

    waiting_for: WaitingDetail | None
    situation: str
    emergency: EmergencyShape | None
    variables: dict[str, str]
    steps: list[StepShape]
    undo: list[UndoShape]
    approvals: list[approvals.Approval]
    checklists: list[ChecklistItem]


# Only what is shown: programs ask again and again, and half of a call goes into reading rows.
_READ = (
    *("number", "runbook", "version__label", "version__number", "procedure", "environment"),
    *("state", "intent", "waiting_for", "requested_by__username", "reason", "outcome"),
    *("plan_digest", "created_at", "opens_at", "started_at", "finished_at", "seq", "variables"),
    *("due_at", "lease_until", "phase"),
)
_MARKED = (
    *("execution_id", "moment", "position", "text", "confirmed_at"),
    *("step__key", "confirmed_by__username"),
)


def detail(user: User, execution_id: UUID | str) -> ExecutionDetail:
    """One of them as it is now, with its steps. Raises NotFound."""
    pk = queries.identity(execution_id)
    executions, steps, marks, requests, decisions, emergencies = read(
        _executions.of(sight(user), pk),
        queries.steps_by.of(pk),
        _marks.of(pk),
        requests_by.of(pk),
        decisions_by.of(pk),
        _emergencies.of(pk),
    )
    if not executions:
        raise NotFound("execution")
    attach(requests, "decisions", decisions, "request_id")
    (found,) = executions
    facts = _facts(found, standstill.waits(executions))
    if waits := facts["waiting_for"]:
        held = _held(user, found) if waits.code == locks.CODE else []
        facts["waiting_for"] = WaitingDetail(code=waits.code, text=waits.text, locks=held)
    return ExecutionDetail(
        **facts,
        situation=str(Situation.of(found, steps)),
        emergency=EmergencyShape.of(emergencies[0]) if emergencies else None,
        variables=found.variables,
        steps=[StepShape.of(step) for step in steps],
        undo=[UndoShape.of(entry) for entry in queries.undo_stack(found, steps)],
        approvals=approvals.shapes(requests),
        checklists=[ChecklistItem.of(mark) for mark in marks],
    )


def _held(user: User, found: Execution) -> list[HeldLock]:
    holders = locks.holders(found)
    return [_holder(user, name, holders.get(name)) for name in found.waiting_for["locks"]]


def _holder(user: User, name: str, lock: Lock | None) -> HeldLock:
    holder = lock.execution if lock else None
    if holder and not sees(user, holder.runbook.category, holder.environment_id):
        holder = None
    return HeldLock(
        name=name,
        execution=holder.pk if holder else None,
        number=holder.number if holder else None,
        runbook=holder.runbook_id if holder else None,
        since=lock.since if lock else None,
    )


@Fixed
def _emergencies(execution_id: UUID) -> QuerySet[Emergency]:
    found = Emergency.objects.filter(execution=execution_id)
    return found.select_related("declared_by", "reviewed_by")


@Fixed
def _executions(sight: Sight, execution_id: UUID) -> QuerySet[Execution]:
    found = queries.visible(sight).filter(pk=execution_id)
    shown = found.select_related(None).select_related("version", "requested_by").only(*_READ)
    return shown.annotate(now=Now())


@Fixed
def _marks(execution_id: UUID) -> QuerySet[ChecklistMark]:
    found = ChecklistMark.objects.filter(execution=execution_id)
    return found.select_related("step", "confirmed_by").only(*_MARKED)


def items(found: Sequence[Execution]) -> list[ExecutionItem]:
    """As lists show them. Each was read with the time of its look."""
    still = standstill.waits(found)
    return [ExecutionItem(**_facts(one, still)) for one in found]


def _facts(found: Execution, still: Mapping[UUID, tuple[str, str]]) -> dict[str, Any]:
    """Those of an item. What stands still because no worker comes waits for that first."""
    kept = (found.waiting_for.get("code", ""), found.waiting_for.get("text", ""))
    code, text = still.get(found.pk, kept)
    return {
        "id": found.pk,
        "number": found.number,
        "url": reverse("execution", args=[found.pk]),
        "runbook": found.runbook_id,
        "version": found.version.label or str(found.version.number),
        "procedure": found.procedure,
        "environment": found.environment_id,
        "state": found.state,
        "intent": found.intent,
        "waiting_for": Waiting(code=code, text=text) if code else None,
        "requested_by": found.requested_by.username,
        "reason": found.reason,
        "outcome": found.outcome,
        "plan_digest": found.plan_digest,
        "created_at": found.created_at,
        "opens_at": None if found.is_over else openings.begins(found),
        "started_at": found.started_at,
        "finished_at": found.finished_at,
        "position": found.seq,
    }
