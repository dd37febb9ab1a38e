"""Controlling an execution as a whole: pause, resume, cancel, roll back, give up.

`seen` is the situation that somebody was shown when they decided, as text; empty if they were shown none.
"""

from uuid import UUID

from django.db import transaction

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.approvals import services as approvals
from cvdops.audit.log import record
from cvdops.executions import admission, children, rollback, stops, validity, waits
from cvdops.executions.hints import announce, wake
from cvdops.executions.models import Execution, StepRun
from cvdops.executions.plan import from_json
from cvdops.executions.queries import RESUMED, get_execution, get_step, matter, may_end
from cvdops.executions.services.effect import (
    asked_before,
    lock,
    moved_on,
    one_effect,
    refuse_changed,
    refuse_stale,
    verb,
)
from cvdops.executions.states import (
    ENDING,
    HELD,
    STEP_DONE,
    ExecutionEvent,
    ExecutionState,
    Intent,
    Phase,
    StepEvent,
    StepState,
    possible,
)
from cvdops.executions.transitions import DatabaseNow, Hand, Superseded
from cvdops.lib.errors import Conflict


def pause(user: User, execution_id: UUID | str, comment: str = "") -> None:
    """Let the running step end, or the execution that it started, then stop before the next one."""
    execution = get_execution(user, execution_id)
    can(user, Action.CONTROL, matter(execution)).enforce()
    _ask_for(user, execution, ExecutionEvent.PAUSE, Intent.PAUSE, comment)


def cancel(user: User, execution_id: UUID | str, comment: str = "", seen: str = "") -> None:
    """Stop the running step, start nothing after it. What a step has started elsewhere goes first.

    `seen`: whatever its steps did since, but not the rollback that began since.
    """
    execution = get_execution(user, execution_id)
    may_end(user, execution, can(user, Action.CONTROL, matter(execution))).enforce()
    _cancel(user, execution, comment, seen)


def _cancel(user: User, execution: Execution, comment: str, seen: str = "") -> None:
    if child := children.active(execution):
        try:
            _cancel_child(user, execution, child, comment, seen)
            return
        except Conflict:
            if children.active(execution):
                raise
            # the child came to its end at this moment: the execution itself goes no further

    outcome = f"It was cancelled by {user.name}."
    _ask_for(user, execution, ExecutionEvent.CANCEL, Intent.CANCEL, comment, outcome, seen)


def _cancel_child(
    user: User, execution: Execution, child: Execution, comment: str, seen: str
) -> None:
    """Pass it down: the execution is cancelled when its child is."""
    with one_effect(execution), transaction.atomic():
        refuse_stale(execution, seen, whatever_runs=True)
        waiting = {
            **execution.waiting_for,
            "text": f"Execution {child} is being cancelled",
            "cancelling": True,
        }
        hand = Hand(execution.pk, actor=user)
        states = frozenset({ExecutionState.WAITING})
        data = {"comment": comment}
        seq = hand.change("cancel.asked", data, states=states, waiting_for=waiting)
        announce(execution.pk, seq)
        record(user, Action.CONTROL, "execution", execution.pk, data={"verb": "cancel"})
    _cancel(user, child, comment)


def _ask_for(
    user: User,
    execution: Execution,
    event: ExecutionEvent,
    intent: Intent,
    comment: str,
    outcome: str = "",
    seen: str = "",
) -> None:
    """Do it at once if no worker holds the execution and no step is left running; else ask a worker.

    `outcome`: of what ends it.
    """
    hand = Hand(execution.pk, actor=user)
    ending = {"outcome": outcome} if outcome else {}
    try:
        with transaction.atomic():
            found = lock(execution)  # no worker takes it or lets it go meanwhile
            refuse_stale(found, seen, whatever_runs=intent == Intent.CANCEL)
            if found.ending and intent == Intent.PAUSE:  # a worker has not come for it yet
                raise asked_before(found)
            unseen = intent in ENDING and bool(stops.may_run(execution.pk))
            left = unseen or _running(execution) is not None
            if left or found.lease_until or not possible(found.state, event):
                states = _askable(execution, intent, unseen=unseen, left=left)
                seq = _ask_worker(hand, found, intent, states, {"comment": comment, **ending})
                wake(execution.pk, execution.environment.queue)
            else:
                if ending:
                    approvals.void(execution.pk)
                    _close_open(hand, execution)
                seq = hand.move(event, {"comment": comment}, intent=Intent.NONE, **ending)
            announce(execution.pk, seq)
            record(user, Action.CONTROL, "execution", execution.pk, data={"verb": intent})
    except Superseded:
        raise moved_on(execution, f"It cannot {verb(intent)} now.") from None


def _ask_worker(
    hand: Hand,
    found: Execution,
    intent: Intent,
    states: frozenset[ExecutionState],
    data: dict[str, str],
) -> int:
    if found.intent in {intent, *ENDING}:
        raise asked_before(found)
    seq = hand.change(f"{intent}.asked", data, states=states, intent=intent, lost_leases=0)
    if found.state == ExecutionState.PAUSED:
        seq = hand.move(ExecutionEvent.CALL, waiting_for={})
    return seq


def _running(execution: Execution) -> StepRun | None:
    """A step that a worker has left running, or watches."""
    return StepRun.objects.filter(execution=execution, state=StepState.RUNNING).first()


def _askable(
    execution: Execution, intent: Intent, *, unseen: bool, left: bool
) -> frozenset[ExecutionState]:
    """The states in which a worker can be asked: one has it, or comes for a step that was left."""
    waiting = frozenset({ExecutionState.WAITING})
    if intent == Intent.GIVE_UP:
        return waiting if unseen else frozenset()
    if intent == Intent.PAUSE and children.active(execution):
        return HELD | waiting
    if not left:
        return HELD
    queued = HELD | {ExecutionState.QUEUED}
    if intent == Intent.PAUSE:
        return queued
    return queued | waiting | ({ExecutionState.PAUSED} if unseen else set())


def _close_open(hand: Hand, execution: Execution) -> None:
    """Nobody is asked any more."""
    for step in StepRun.objects.filter(execution=execution, state=StepState.WAITING):
        hand.step(step.pk, StepEvent.CANCEL, finished_at=DatabaseNow)


def _refuse_running(execution: Execution) -> None:
    if child := children.active(execution):
        raise Conflict(f"Execution {child}, which it started, is not over: cancel that one first.")
    if step := _running(execution):
        raise Conflict(f"“{step.title}” may still be running: cancel the execution, or resume it.")


def resume(user: User, execution_id: UUID | str, comment: str = "", seen: str = "") -> None:
    """Go on: after a pause, when its window is open again, although workers died on it, or in another name.

    A pause that is only asked for is taken back.
    """
    execution = get_execution(user, execution_id)
    can(user, Action.CONTROL, matter(execution)).enforce()
    if _take_back(user, execution, comment, seen):
        return
    admission.refuse_closed(execution)
    stands = execution.waiting_for.get("code") in RESUMED | {waits.WINDOW}
    event = ExecutionEvent.READY if stands else ExecutionEvent.RESUME
    with one_effect(execution), transaction.atomic():
        refuse_stale(execution, seen)
        hand = Hand(execution.pk, actor=user)
        seq = hand.move(event, {"comment": comment}, waiting_for={}, lost_leases=0)
        if stands:
            seq = hand.change("execution.resume", {"comment": comment})
        announce(execution.pk, seq)
        validity.hold_or_ask_anew(execution, hand, resumed=True)
        record(user, Action.CONTROL, "execution", execution.pk, data={"verb": "resume"})
        wake(execution.pk, execution.environment.queue)


def _take_back(user: User, execution: Execution, comment: str, seen: str) -> bool:
    """Ask for a pause no more. False if none is asked for, or a worker has just carried it out."""
    with transaction.atomic():
        if (found := lock(execution)).intent != Intent.PAUSE or found.is_over:
            return False
        refuse_stale(found, seen, whatever_runs=True)
        hand = Hand(execution.pk, actor=user)
        announce(
            execution.pk, hand.change("pause.withdrawn", {"comment": comment}, intent=Intent.NONE)
        )
        record(user, Action.CONTROL, "execution", execution.pk, data={"verb": "resume"})
    return True


def roll_back(
    user: User,
    execution_id: UUID | str,
    comment: str = "",
    down_to: str = "",
    seen: str = "",
) -> None:
    """Undo what was done, newest first; with `down_to` only that step and what came after it."""
    execution = get_execution(user, execution_id)
    can(user, Action.CONTROL, matter(execution)).enforce()
    if down_to:
        down_to = get_step(execution, down_to).key
    refuse_changed(execution)
    if step := StepRun.objects.filter(execution=execution, unconfirmed=True).first():
        text = f"“{step.title}” may still be running on {step.host}: wait, or settle it."
        raise Conflict(text)
    with one_effect(execution), transaction.atomic():
        refuse_stale(execution, seen)
        hand = Hand(execution.pk, actor=user)
        seq = hand.move(
            ExecutionEvent.ROLL_BACK,
            {"comment": comment, "down_to": down_to},
            phase=Phase.ROLLBACK,
            waiting_for={},
            due_at=None,
            outcome="",
        )
        _refuse_running(execution)
        _close_open(hand, execution)
        _plan_rollback(execution, down_to)
        approvals.void(execution.pk)
        announce(execution.pk, seq)
        data = {"verb": "roll_back", "down_to": down_to}
        record(user, Action.CONTROL, "execution", execution.pk, data=data)
        wake(execution.pk, execution.environment.queue)


def undone_by(
    execution: Execution, down_to: str = ""
) -> tuple[list[rollback.UndoEntry], list[rollback.UndoEntry]]:
    """What a rollback down to this step would undo now, newest first, and what it would leave.

    A step without a rollback step is left, wherever it stands.
    """
    steps = list(StepRun.objects.filter(execution=execution))
    undo = list(rollback.undo_stack(from_json(execution.plan), steps))
    chosen = rollback.since(undo, steps, down_to) if down_to else undo
    undone = [entry for entry in chosen if entry.rollback_key]
    return undone, [entry for entry in undo if entry not in undone]


def _plan_rollback(execution: Execution, down_to: str) -> None:
    """Store what the rollback has to do. Raises Conflict when that is nothing."""
    plan = from_json(execution.plan)
    steps = list(StepRun.objects.filter(execution=execution))
    undo = rollback.undo_stack(plan, steps)
    chosen = rollback.since(undo, steps, down_to) if down_to else undo
    fresh = rollback.plan_rollback(execution, plan, steps, chosen)
    begun = any(s.phase == Phase.ROLLBACK and s.state not in STEP_DONE for s in steps)
    if not fresh and not begun:
        text = "There is nothing to roll back: no completed step has a rollback step."
        raise Conflict(text, "There is nothing to roll back")
    StepRun.objects.bulk_create(fresh)


def give_up(user: User, execution_id: UUID | str, comment: str = "", seen: str = "") -> None:
    """End an execution that waits for a decision on a step that did not succeed: it failed."""
    execution = get_execution(user, execution_id)
    may_end(user, execution, can(user, Action.CONTROL, matter(execution))).enforce()
    with one_effect(execution):
        if execution.waiting_for.get("code") not in {"step", waits.PLAN} | RESUMED:
            raise Superseded
    _refuse_running(execution)
    title = execution.waiting_for.get("text", "").replace(waits.TO_DECIDE, ".")
    outcome = f"Given up by {user.name}. {title}".strip()
    _ask_for(user, execution, ExecutionEvent.FAIL, Intent.GIVE_UP, comment, outcome, seen)
