"""`advance`: look at an execution, do what there is to do until a gate, a decision or the end.

May be called by anybody, any number of times, at any moment: who does not get the lease does nothing.
"""

import logging
from collections.abc import Callable
from uuid import UUID

from django.db import Error, connection, transaction

from cvdops.approvals import services as approvals
from cvdops.executions import (
    admission,
    authority,
    children,
    demands,
    gates,
    lanes,
    locks,
    plan,
    rollback,
    stops,
    validity,
    vouched,
    waits,
)
from cvdops.executions.hints import announce
from cvdops.executions.leases import (
    HOLDS,
    MAX_LOST,
    POISONED,
    Hold,
    Leave,
    claim,
    give_back,
    listen,
    release,
)
from cvdops.executions.models import Event, Execution, StepRun
from cvdops.executions.planner import Do, Next, following
from cvdops.executions.run import Run
from cvdops.executions.states import ExecutionEvent, Intent, Phase, StepEvent, StepState
from cvdops.executions.transitions import Superseded
from cvdops.executions.waits import TO_DECIDE
from cvdops.lib.failpoints import failpoint
from cvdops.spec.document import Kind, Step

log = logging.getLogger(__name__)


def advance(execution: UUID, owner: str) -> None:
    """Do what there is to do. Returns when the execution waits, ended, or is another worker's."""
    if HOLDS.draining.is_set():
        return
    try:
        hold = claim(execution, owner)
        if hold is None:
            HOLDS.nudge(execution)
        else:
            _look(hold)
    except Error as error:
        log.warning("Execution %s: the database did not answer: %s", execution, error)
    finally:
        connection.close()  # always: with the thread that looks, its connection would be lost


def _look(hold: Hold) -> None:
    failpoint("lease.claimed")
    try:
        run = Run.load(hold)
        _carry_on(run)
        if run.execution.parent_id is not None:
            children.settle(run.execution.parent_id)
    except Leave:
        release(hold)
    except Superseded:
        hold.refused = hold.valid
        HOLDS.drop(hold)
        log.info("Execution %s went to another worker.", hold.execution)
    except Error:
        # What it was asked last may have been done all the same: whoever comes next looks anew.
        connection.close()
        HOLDS.drop(hold)
        give_back()  # or the pulse does it, when the database answers again
        raise
    finally:
        HOLDS.remove(hold)


def _carry_on(run: Run) -> None:
    hold = run.hold
    changed = plan.digest(run.execution.plan) != run.execution.plan_digest
    if changed and not hold.ending:  # which begins nothing, and ends what runs
        _forsake(run)
        return
    asked = False
    while True:
        if not hold.valid:
            raise Superseded
        if HOLDS.draining.is_set():
            raise Leave
        if not (asked or run.has_running):  # what runs is watched, whatever else there is
            asked = _may_go_on(run)
            if not asked:
                return
        todo = following(
            run.execution.phase, hold.intent, run.steps, run.definitions, run.delayed()
        )
        if not _ACTS[todo.do](run, todo):
            return
        failpoint("engine.turned")


def _forsake(run: Run) -> None:
    """By a plan that is not its own nothing is begun, and nothing is judged that runs."""
    with transaction.atomic():
        for step in run.steps:
            if step.state == StepState.RUNNING:
                where = f"may still run on {step.host}" if step.host else "may have been sent"
                note = (
                    "Its plan was changed in the database while it ran, so nobody watches it any more: it "
                    f"{where}. Cancel the execution: what still runs is ended."
                )
                stops.leave_unseen(run.hand, step, note)
        gates.rest(
            run,
            waits.PLAN,
            "Its plan is not the one that was started: it was changed in the database. It cannot go "
            "on. Cancel it, find out who changed it, and start it anew.",
        )


def _may_go_on(run: Run) -> bool:
    """Whether anything more may be done of it by this worker; if not, it waits and says for what."""
    if run.hold.lost_before >= MAX_LOST:
        text = f"{MAX_LOST} workers died on it. Find out why, then resume or cancel it."
        gates.rest(run, POISONED, text, intent=Intent.NONE)
        return False
    if not stops.confirm(run):
        return False
    vouched.decide(run)
    if run.plan.locks and run.execution.opens_at is None and not demands.before_start(run.steps):
        with transaction.atomic():
            if not locks.take(run, run.plan.locks):
                return False
    if run.plan.gates:
        with transaction.atomic():
            if not validity.hold_or_ask_anew(run.execution, run.hand):
                run.reload()
    return True


def _work(run: Run, todo: Next) -> bool:
    """Carry out a step on those of its hosts: begin what was not begun, watch what was."""
    indexes = authority.admits(run, todo.indexes)
    indexes = indexes and admission.admits(run, indexes)
    if not indexes:
        return False
    first, definition = run.steps[indexes[0]], run.definitions[indexes[0]]
    if definition.kind in plan.PEOPLE or definition.kind is Kind.RUNBOOK:
        return _open(run, first, definition)
    lock = definition.attributes.lock
    if lock:
        with transaction.atomic():
            if not locks.take(run, [lock], first):
                return False
    lanes.carry_out(run, indexes)
    if lock:
        locks.release(first)
    return True


def _open(run: Run, step: StepRun, definition: Step) -> bool:
    if not lanes.applies(run, step, definition):
        return True
    if definition.kind is Kind.RUNBOOK:
        return children.open_step(run, step, definition)
    gates.open_step(run, step, definition)
    return False


def _delay(run: Run, todo: Next) -> bool:
    """Wait for the first of these steps whose time comes."""
    step = run.steps[todo.index]
    seconds = min(run.delays().values(), default=0.0)
    gates.rest(run, "retry", f"Trying again: {step.title}", step.key, due=max(seconds, 0.0))
    return False


def _ask(run: Run, todo: Next) -> bool:
    gates.wait_for(run, run.definitions[todo.index])
    return False


def _stuck(run: Run, todo: Next) -> bool:
    step = run.steps[todo.index]
    if any(run.steps[index].unconfirmed for index in todo.indexes):
        return stops.confirm(run)
    where = ", ".join(run.steps[i].host for i in todo.indexes if len(run.stage(step)) > 1)
    text = f"“{step.title}” {step.look.label.lower()}{' on ' + where if where else ''}"
    gates.rest(run, "step", f"{text}{TO_DECIDE}", step.key)
    return False


def _undo(run: Run, todo: Next) -> bool:
    """The step says `on-failure=rollback`: begin it without asking."""
    begin_rollback(run, f"“{run.steps[todo.index].title}” failed and asks for it.")
    return True


def begin_rollback(run: Run, because: str) -> None:
    """Turn the execution round, in the hands of its worker."""
    with transaction.atomic():
        undo = rollback.undo_stack(run.plan, run.steps)
        fresh = rollback.plan_rollback(run.execution, run.plan, run.steps, undo)
        StepRun.objects.bulk_create(fresh)
        seq = run.hand.move(
            ExecutionEvent.CLAIM_ROLLBACK, {"because": because}, phase=Phase.ROLLBACK
        )
        announce(run.id, seq)
    run.execution.phase = Phase.ROLLBACK
    run.reload()


def _pause(run: Run, _todo: Next) -> bool:
    """If that is still wanted: who asked for it may have taken it back at this moment."""
    with transaction.atomic():
        if Execution.objects.select_for_update().filter(pk=run.id, intent=Intent.PAUSE).exists():
            _leave(run, ExecutionEvent.PAUSE)
            return False
    listen([run.hold])
    return True


def _cancel(run: Run, todo: Next) -> bool:
    if not stops.confirm(run):
        return False
    with transaction.atomic():
        for index in todo.indexes:
            if run.steps[index].state == StepState.WAITING:
                run.hand.step(run.steps[index].pk, StepEvent.CANCEL)
        if run.hold.intent == Intent.GIVE_UP:
            _leave(run, ExecutionEvent.FAIL, outcome=_given_up(run))
        else:
            _leave(run, ExecutionEvent.CANCEL, outcome=_cancelled(run))
        approvals.void(run.id)
    return False


def _given_up(run: Run) -> str:
    asked = Event.objects.filter(execution=run.id, kind="give_up.asked").order_by("seq")
    return str(asked.values_list("data__outcome", flat=True).last())


def _cancelled(run: Run, where: str = "") -> str:
    """That it was, and who asked for it."""
    asked = Event.objects.filter(execution=run.id, kind="cancel.asked").order_by("-seq")
    by = asked.values_list("actor__name", flat=True).first()
    return f"It was cancelled{f' by {by}' if by else ''}{where}."


def _end(run: Run, todo: Next) -> bool:
    step = run.steps[todo.index]
    event, sentence = {
        StepState.REJECTED: (ExecutionEvent.REJECT, f"“{step.title}” was rejected."),
        StepState.EXPIRED: (ExecutionEvent.EXPIRE, f"Nobody decided “{step.title}” in time."),
        StepState.CANCELLED: (ExecutionEvent.CANCEL, _cancelled(run, f" at “{step.title}”")),
    }[StepState(step.state)]
    with transaction.atomic():
        _leave(run, event, outcome=sentence)
        approvals.void(run.id)
    return False


def _finish(run: Run, _todo: Next) -> bool:
    if run.rolling_back:
        _leave(run, ExecutionEvent.FINISH_ROLLBACK, outcome=_left_in_place(run))
        return False
    failed = [s.title for s in run.steps if s.state in {StepState.FAILED, StepState.TIMED_OUT}]
    sentence = f"Failed, which the document allows: {', '.join(failed)}." if failed else ""
    _leave(run, ExecutionEvent.SUCCEED, outcome=sentence)
    return False


def _left_in_place(run: Run) -> str:
    """What a rollback that ended did not undo, as a sentence; empty for nothing."""
    steps = StepRun.objects.filter(execution=run.execution)
    left = [entry.title for entry in rollback.undo_stack(run.plan, steps)]
    return f"Rolled back in part. Still in place: {', '.join(left)}." if left else ""


def _leave(run: Run, event: ExecutionEvent, *, outcome: str | None = None) -> None:
    """Let go of the execution in this state, with what was asked of it carried out."""
    ending = {} if outcome is None else {"outcome": outcome}
    seq = run.hand.move(
        event,
        None,
        lease_until=None,
        lease_owner="",
        waiting_for={},
        intent=Intent.NONE,
        **ending,
    )
    announce(run.id, seq)


_ACTS: dict[Do, Callable[[Run, Next], bool]] = {
    Do.WORK: _work,
    Do.ASK: _ask,
    Do.DELAY: _delay,
    Do.STUCK: _stuck,
    Do.UNDO: _undo,
    Do.PAUSE: _pause,
    Do.CANCEL: _cancel,
    Do.END: _end,
    Do.FINISH: _finish,
}
