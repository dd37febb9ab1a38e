"""Reading executions as one person may, and what that person could do with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, CharField, ExpressionWrapper, F, Func, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from cvdops.access import catalog
from cvdops.access.policy import ALLOWED, Action, Decision, Matter, Sight, each, sight, within
from cvdops.accounts.models import User
from cvdops.environments import calendar
from cvdops.environments.schedule import following
from cvdops.executions import participants, waits
from cvdops.executions import plan as plans
from cvdops.executions.leases import POISONED, UNCONFIRMED
from cvdops.executions.models import Event, Execution, StepRun
from cvdops.executions.rollback import UndoEntry, plan_rollback
from cvdops.executions.rollback import undo_stack as _undo_stack
from cvdops.executions.states import (
    HELD,
    STEP_STUCK,
    UNDOABLE,
    ExecutionEvent,
    ExecutionState,
    Intent,
    Phase,
    StepState,
    possible,
)
from cvdops.lib.errors import NotFound, Reason
from cvdops.lib.together import Fixed, Read
from cvdops.spec.document import Kind

RESUMED = frozenset({POISONED, waits.RIGHT})  # what waits for this is let go on by *Resume*


def visible_to(user: User) -> QuerySet[Execution]:
    """The executions that this person may see, newest first: by the runbook and the environment."""
    return visible(sight(user))


def visible(sight: Sight) -> QuerySet[Execution]:
    """Those that lie within what somebody sees."""
    return for_lists(Execution.objects.filter(within(sight, "runbook__category", "environment")))


def for_lists(found: QuerySet[Execution]) -> QuerySet[Execution]:
    """Executions with what lists show of them, without the long texts that none does."""
    found = found.select_related("runbook", "version", "environment", "requested_by")
    return found.defer("plan", "session", "sealed", "version__source", "version__diagnostics")


class _OneOf(Func):
    """That the first of two values is the second, said so that no planner takes it for a constant.

    Said with `=`, the database walks through all ids for what hardly ever ran, newest first. So it keeps to
    the index in which they lie by this value and their id.
    """

    template = "%(expressions)s])"
    arg_joiner = " = ANY (ARRAY["
    output_field = BooleanField()


def newest_of(sight: Sight, category: Combinable, **same: Combinable) -> QuerySet[Execution]:
    """What somebody sees of the executions with the `same` values as a row of an outer query, newest first.

    There is an index by each of these values and the id. `category` is that of the outer row's runbook: with
    its own joined to an execution, what the index finds would not come in its order.
    """
    found = Execution.objects.alias(category=ExpressionWrapper(category, CharField()))
    found = found.filter(within(sight, "category", "environment"))
    found = found.filter(*(_OneOf(F(name), value) for name, value in same.items()))
    return found.order_by(*(f"{name}_id" for name in same), "-id")


def get_execution(user: User, execution_id: UUID | str) -> Execution:
    """One of them, with the time of the look. Raises NotFound: unknown and forbidden are the same."""
    return _one(visible_to(user).defer(None), execution_id)


def named(user: User, text: str) -> Execution:
    """One of them, by its number or id, with the time of the look. Raises NotFound."""
    if not text.isdecimal():
        return get_execution(user, text)
    numbered = visible_to(user).defer(None).filter(number=int(text[:18]))
    found = numbered.annotate(now=Now()).first()
    if found is None:
        raise NotFound("execution")
    return found


def get_outline(user: User, execution_id: UUID | str) -> Execution:
    """The same without its long texts, which take many times as long to read as all else."""
    return _one(visible_to(user), execution_id)


def _one(found: QuerySet[Execution], execution_id: UUID | str) -> Execution:
    try:
        return found.annotate(now=Now()).get(pk=identity(execution_id))
    except Execution.DoesNotExist:
        raise NotFound("execution") from None


def identity(execution_id: UUID | str) -> UUID:
    """The id that somebody has sent. Raises NotFound: what is no id belongs to nothing."""
    try:
        return UUID(str(execution_id))
    except ValueError:
        raise NotFound("execution") from None


def get_step(execution: Execution, step_id: UUID | str) -> StepRun:
    """A step run of the execution, by its id or by the step's id in the document. Raises NotFound."""
    try:
        match = Q(pk=UUID(str(step_id)))
    except ValueError:
        match = Q(key=str(step_id))
    step = execution.steps.filter(match).order_by("host").first()
    if step is None:
        raise NotFound("step")
    return step


def plain_matter(execution: Execution) -> Matter:
    """What the policy has to know about an execution, whoever takes part in it."""
    return catalog.matter(execution.runbook, execution.version, execution.environment)


def matter(execution: Execution) -> Matter:
    """The same, with those who take part in it now."""
    return participants.with_people(plain_matter(execution), participants.here(execution.pk))


def steps_of(execution: Execution) -> list[StepRun]:
    """Its step runs: forward ones, then those of the rollback, in their order."""
    return steps_by(execution.pk)


@Fixed
def steps_by(execution_id: UUID) -> QuerySet[StepRun]:
    """The same by the id of the execution."""
    return StepRun.objects.filter(execution=execution_id).order_by("phase", "position", "lane")


@Read
def pinned(execution_id: UUID) -> QuerySet[Execution, dict[str, Any]]:
    """The plan of an execution as it is stored."""
    return Execution.objects.filter(pk=execution_id).values_list("plan", flat=True)


def planned(execution: Execution) -> plans.Plan:
    """Its pinned plan."""
    return plans.from_json(execution.plan)


@lru_cache(maxsize=64)
def plan_of(execution_id: UUID) -> plans.Plan:
    """The same. It never changes, so a process reads and understands it once."""
    return plans.from_json(Execution.objects.values_list("plan", flat=True).get(pk=execution_id))


def undo_stack(execution: Execution, steps: list[StepRun] | None = None) -> tuple[UndoEntry, ...]:
    """What could be undone now, newest first."""
    return _undo_stack(plan_of(execution.pk), steps_of(execution) if steps is None else steps)


def events(execution: Execution) -> list[Event]:
    """Its timeline, oldest first."""
    return list(execution.events.select_related("actor", "step").order_by("seq"))


@dataclass(frozen=True, slots=True)
class Control:
    """A button: whether it has a place now, and whether this person may press it."""

    shown: bool
    decision: Decision


@dataclass(frozen=True, slots=True)
class StepControls:
    retry: Control
    skip: Control
    settle: Control
    confirm: Control


@dataclass(frozen=True, slots=True)
class Controls:
    """Everything that this person could do with the execution now."""

    pause: Control
    resume: Control
    cancel: Control
    roll_back: Control
    resume_from: Control
    give_up: Control
    note: Control
    decisions: Mapping[Action, Decision]
    waiting: bool
    phase: str

    def step(self, step: StepRun) -> StepControls:
        """What could be done with one step."""
        told = step.unconfirmed or step.phase == self.phase  # before its rollback it runs no more
        stuck = self.waiting and told and step.state in STEP_STUCK
        again = stuck and not step.unconfirmed  # it may still be running
        people = step.state == StepState.WAITING and step.kind in {"manual", "checklist"}
        return StepControls(
            retry=Control(again, self.decisions[Action.CONTROL]),
            skip=Control(again, self.decisions[Action.OVERRIDE]),
            settle=Control(stuck, self.decisions[Action.OVERRIDE]),
            confirm=Control(self.waiting and people, self.decisions[Action.ASSIST]),
        )


# What the buttons of an execution ask of the policy.
_ASKED = (
    Action.CONTROL,
    Action.OVERRIDE,
    Action.ASSIST,
    Action.CLOSE,
    Action.JOIN,
    Action.SUPERVISE,
    Action.HAND_OVER,
    Action.NOTE,
)


def controls(
    user: User, execution: Execution, undo: tuple[UndoEntry, ...] | None = None
) -> Controls:
    """The buttons of an execution. The verbs decide again when they are pressed.

    `undo`: its undo stack, where the caller has it already.
    """
    decisions = each(user, _ASKED, matter(execution))
    control = decisions[Action.CONTROL]
    end = may_end(user, execution, control)
    state = execution.state
    undoable = may_turn(execution) and _undoes(
        execution, undo_stack(execution) if undo is None else undo
    )
    return Controls(
        pause=Control(
            (state in HELD | {ExecutionState.QUEUED} or execution.waits_for_child)
            and execution.intent == Intent.NONE,
            control,
        ),
        resume=Control(
            state == ExecutionState.PAUSED
            or _stands(execution)
            or (execution.intent == Intent.PAUSE and not execution.is_over),
            _resume(execution, control),
        ),
        cancel=Control(not (execution.is_over or execution.ending), end),
        roll_back=Control(undoable, control),
        resume_from=Control(resumable(execution), control),
        give_up=Control(
            state == ExecutionState.WAITING
            and execution.waiting_for.get("code") in {"step", waits.PLAN} | RESUMED
            and not execution.ending,
            end,
        ),
        note=Control(True, decisions[Action.NOTE]),
        decisions=decisions,
        waiting=state == ExecutionState.WAITING and execution.waiting_for.get("code") != waits.PLAN,
        phase=execution.phase,
    )


def may_end(user: User, execution: Execution, control: Decision) -> Decision:
    """Who may cancel it or give it up: who may control it, and its own requester before a step has begun."""
    if control.allowed or execution.requested_by.person != user.person:
        return control
    begun = execution.steps.filter(started_at__isnull=False).exclude(kind=Kind.APPROVAL)
    return control if begun.exists() else ALLOWED


def _stands(execution: Execution) -> bool:
    """It waits for somebody to let it go on, and not for a time."""
    code = execution.waiting_for.get("code")
    return code in RESUMED or (code == waits.WINDOW and execution.due_at is None)


def _resume(execution: Execution, control: Decision) -> Decision:
    """What waits for its window is resumed when that is open."""
    if not control.allowed or execution.waiting_for.get("code") != waits.WINDOW:
        return control
    standing = calendar.standing(execution.environment_id)
    if standing.open:
        return control
    text = f"{execution.environment_id} may not be changed now."
    return Decision((Reason("window", text, following(standing)),))


def resumable(execution: Execution) -> bool:
    """Whether it may go on from a step that a person chooses."""
    forward = execution.phase == Phase.FORWARD
    return (
        forward
        and possible(execution.state, ExecutionEvent.RESUME_FROM)
        and not _unsettled(execution)
    )


def may_turn(execution: Execution) -> bool:
    """Whether its state lets it be rolled back, if there is anything to undo."""
    standing = execution.state in {ExecutionState.WAITING, ExecutionState.PAUSED}
    turned = standing and execution.phase == Phase.FORWARD
    over = execution.state in UNDOABLE | {ExecutionState.ROLLED_BACK}  # it may have been in part
    return (turned or over) and not _unsettled(execution)


def _undoes(execution: Execution, undo: tuple[UndoEntry, ...]) -> bool:
    """Whether a rollback would do anything: after one that ended, only what that one left."""
    if execution.state != ExecutionState.ROLLED_BACK or not undo:
        return any(entry.rollback_key for entry in undo)
    return bool(plan_rollback(execution, planned(execution), steps_of(execution), undo))


def _unsettled(execution: Execution) -> bool:
    """A step of it may still be running, or its plan is another one: it is ended first."""
    return execution.waiting_for.get("code") in {UNCONFIRMED, waits.PLAN}
