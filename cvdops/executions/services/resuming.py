"""Going on from a step that a person chooses, after a plan that says what becomes of each step."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db import transaction

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.approvals import services as approvals
from cvdops.audit.log import record
from cvdops.executions import validity
from cvdops.executions.hints import announce, wake
from cvdops.executions.models import Execution, StepRun
from cvdops.executions.queries import get_execution, get_step, matter
from cvdops.executions.services.effect import (
    moved_on,
    one_effect,
    refuse_changed,
    refuse_over,
    refuse_stale,
)
from cvdops.executions.states import (
    STEP_DONE,
    ExecutionEvent,
    Phase,
    StepEvent,
    StepState,
    possible,
)
from cvdops.executions.transitions import AFRESH, Hand
from cvdops.lib.errors import Conflict, Invalid, Problem
from cvdops.spec.document import Kind


class Fate(StrEnum):
    """What becomes of a step when the execution goes on."""

    REUSE = "reuse"  # it was done and stays so
    SKIP = "skip"
    RUN = "run"
    RUN_AGAIN = "run again"


@dataclass(frozen=True, slots=True)
class ResumePlan:
    """What a resume would do, step by step, and why it cannot be done, if so."""

    fates: tuple[tuple[StepRun, Fate], ...]
    problem: str = ""

    @property
    def action(self) -> Action:
        """What one needs: to skip a step, or to repeat one that was done, is a Lead's decision."""
        bold = any(
            fate is Fate.SKIP or (fate is Fate.RUN_AGAIN and step.state in STEP_DONE)
            for step, fate in self.fates
        )
        return Action.OVERRIDE if bold else Action.CONTROL


def plan_resume(user: User, execution_id: UUID | str, step_id: UUID | str) -> ResumePlan:
    """What going on from this step would do. Changes nothing. Raises NotFound."""
    execution = get_execution(user, execution_id)
    return _plan(execution, get_step(execution, step_id))


def _plan(execution: Execution, start: StepRun) -> ResumePlan:
    steps = list(execution.steps.filter(phase=Phase.FORWARD))
    fates = tuple((step, _fate(step, start.position)) for step in steps)
    return ResumePlan(fates, _problem(execution, start, fates))


def _fate(step: StepRun, start: int) -> Fate:
    if step.position < start:
        return Fate.REUSE if step.state in STEP_DONE else Fate.SKIP
    return Fate.RUN if step.state == StepState.PENDING else Fate.RUN_AGAIN


def _closed(execution: Execution, start: StepRun) -> str:
    """Why it does not go on from a step that somebody chooses; empty if it may."""
    if start.phase != Phase.FORWARD or execution.phase != Phase.FORWARD:
        return "Its rollback has begun: start a new execution instead."
    if not possible(execution.state, ExecutionEvent.RESUME_FROM):
        return "It cannot go on from another step now."
    return ""


def _problem(execution: Execution, start: StepRun, fates: tuple[tuple[StepRun, Fate], ...]) -> str:
    if closed := _closed(execution, start):
        return closed
    if not any(fate in {Fate.RUN, Fate.RUN_AGAIN} for _, fate in fates):
        return "Nothing would run: choose an earlier step."
    for step, fate in fates:
        if step.unconfirmed:
            return f"“{step.title}” may still be running on {step.host}: wait, or settle it."
        if fate is Fate.SKIP and step.kind == Kind.APPROVAL:
            return f"“{step.title}” was not approved: it cannot be skipped."
        if step.state in {StepState.RUNNING, StepState.WAITING}:
            return f"“{step.title}” is {step.look.label.lower()}: decide on it first."
    return ""


def resume_from(
    user: User, execution_id: UUID | str, step_id: UUID | str, comment: str, seen: str = ""
) -> None:
    """Go on from this step, with a reason. Raises NotFound, Refused, Invalid, Conflict."""
    execution = get_execution(user, execution_id)
    start = get_step(execution, step_id)
    plan = _plan(execution, start)
    can(user, plan.action, matter(execution)).enforce()
    if not comment.strip():
        raise Invalid([Problem("comment", f"Say why you go on from “{start.title}”.")])
    refuse_changed(execution)
    if closed := _closed(execution, start):
        raise moved_on(execution, closed)
    if plan.problem:
        raise Conflict(plan.problem)
    with one_effect(execution), transaction.atomic():
        refuse_stale(execution, seen)
        refuse_over(execution, Phase.FORWARD)
        hand = Hand(execution.pk, actor=user)
        seq = hand.move(
            ExecutionEvent.RESUME_FROM,
            {"comment": comment.strip(), "step": start.key},
            waiting_for={},
            due_at=None,
            lost_leases=0,
            outcome="",
        )
        for step, fate in plan.fates:
            seq = _apply(hand, user, step, fate) or seq
        validity.hold_or_ask_anew(execution, hand, resumed=True)
        approvals.void(execution.pk)
        announce(execution.pk, seq)
        data = {"verb": "resume_from", "step": start.key}
        record(user, plan.action, "execution", execution.pk, data=data)
        wake(execution.pk, execution.environment.queue)


def _apply(hand: Hand, user: User, step: StepRun, fate: Fate) -> int:
    if fate is Fate.SKIP:
        note = f"Skipped: {user.name} went on after it."
        return hand.step(step.pk, StepEvent.LEAVE_OUT, note=note)
    if fate is Fate.RUN_AGAIN:
        return hand.step(step.pk, StepEvent.RESET, tries=0, note="", due_at=None, **AFRESH)
    return 0
