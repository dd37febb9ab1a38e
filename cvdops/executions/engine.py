"""`advance`: look at an execution, do what there is to do until a gate, a decision or the end.

May be called by anybody, any number of times, at any moment: who does not get the lease does nothing.
"""

import logging
from collections.abc import Callable
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from cvdops.approvals import services as approvals
from cvdops.executions import attempts, gates, plan, rollback
from cvdops.executions.hints import announce
from cvdops.executions.leases import HOLDS, MAX_LOST, Hold, claim, release
from cvdops.executions.models import Execution, StepRun
from cvdops.executions.planner import Do, Next, following
from cvdops.executions.run import Run
from cvdops.executions.states import ExecutionEvent, Intent, Phase, StepEvent, StepState
from cvdops.executions.transitions import Superseded
from cvdops.lib.failpoints import failpoint
from cvdops.spec.conditions import ConditionError, evaluate
from cvdops.spec.document import Step

log = logging.getLogger(__name__)


def advance(execution: UUID, owner: str) -> None:
    """Do what there is to do. Returns when the execution waits, ended, or is another worker's."""
    if HOLDS.draining.is_set():
        return
    hold = claim(execution, owner)
    if hold is None:
        HOLDS.nudge(execution)
        return
    failpoint("lease.claimed")
    try:
        _carry_on(hold)
    except attempts.Leave:
        release(hold)
    except Superseded:
        log.info("Execution %s went to another worker.", execution)
    except DatabaseError as error:
        log.warning(
            "Execution %s: the database is away (%s); looking again later.", execution, error
        )
    finally:
        HOLDS.remove(hold)
        connection.close()


def _carry_on(hold: Hold) -> None:
    run = Run.load(hold)
    if plan.digest(run.execution.plan) != run.execution.plan_digest:
        gates.rest(run, "plan", "Its plan is not the one that was started. It cannot go on.")
        return
    if hold.lost_before > MAX_LOST:
        gates.rest(run, "poisoned", "Three workers died on it. A person has to look at it.")
        return
    while True:
        if not hold.valid:
            raise Superseded
        if HOLDS.draining.is_set():
            raise attempts.Leave
        todo = following(run.execution.phase, hold.intent, run.steps, run.definitions)
        if not _ACTS[todo.do](run, todo):
            return
        failpoint("engine.turned")


def _begin(run: Run, todo: Next) -> bool:
    step, definition = run.steps[todo.index], run.definitions[todo.index]
    if definition.attributes.when and not _applies(run, step, definition):
        return True
    if definition.kind in plan.PEOPLE:
        gates.open_step(run, step, definition)
        return False
    attempts.carry_out(run, todo.index)
    return not (step.state == StepState.PENDING and _rests(run))


def _rests(run: Run) -> bool:
    """Whether the attempt left the execution waiting for its next try."""
    return not Execution.objects.filter(
        pk=run.id, lease_token=run.hold.token, lease_until__isnull=False
    ).exists()


def _applies(run: Run, step: StepRun, definition: Step) -> bool:
    """Whether the step's `when` is true; if not, the step is passed over with the reason."""
    session = run.execution.session.get(step.host or run.plan.default_host, {})
    variables = {**run.execution.variables, **session.get("variables", {})}
    condition = definition.attributes.when
    try:
        if evaluate(condition, variables):
            return True
        event, note = StepEvent.OMIT, f"Skipped: “{condition}” is not true."
    except ConditionError as error:
        event, note = StepEvent.FAIL, f"Its condition “{condition}” cannot be decided: {error}"
    with transaction.atomic():
        announce(run.id, run.hand.step(step.pk, event, note=note))
    step.state = StepState.SKIPPED if event is StepEvent.OMIT else StepState.FAILED
    return False


def _watch(run: Run, todo: Next) -> bool:
    attempts.recover(run, todo.index)
    return not (run.steps[todo.index].state == StepState.PENDING and _rests(run))


def _ask(run: Run, todo: Next) -> bool:
    gates.wait_for(run, run.definitions[todo.index])
    return False


def _stuck(run: Run, todo: Next) -> bool:
    step = run.steps[todo.index]
    word = step.look.label.lower()
    gates.rest(run, "step", f"“{step.title}” {word}: somebody decides what to do.", step.key)
    return False


def _undo(run: Run, todo: Next) -> bool:
    """The step says `on-failure=rollback`: begin it without asking."""
    begin_rollback(run, f"“{run.steps[todo.index].title}” failed and asks for it.")
    return True


def begin_rollback(run: Run, because: str) -> None:
    """Turn the execution round, in the hands of its worker."""
    with transaction.atomic():
        fresh = rollback.plan_rollback(run.execution, run.plan, run.steps)
        StepRun.objects.bulk_create(fresh)
        seq = run.hand.move(
            ExecutionEvent.CLAIM_ROLLBACK, {"because": because}, phase=Phase.ROLLBACK
        )
        announce(run.id, seq)
    run.execution.phase = Phase.ROLLBACK
    run.reload()


def _pause(run: Run, _todo: Next) -> bool:
    _leave(run, ExecutionEvent.PAUSE)
    return False


def _cancel(run: Run, todo: Next) -> bool:
    with transaction.atomic():
        if todo.index >= 0 and run.steps[todo.index].state == StepState.WAITING:
            run.hand.step(run.steps[todo.index].pk, StepEvent.CANCEL)
        _leave(run, ExecutionEvent.CANCEL, outcome="It was cancelled.")
        approvals.void(run.id)
    return False


def _end(run: Run, todo: Next) -> bool:
    step = run.steps[todo.index]
    event, sentence = {
        StepState.REJECTED: (ExecutionEvent.REJECT, f"“{step.title}” was rejected."),
        StepState.EXPIRED: (ExecutionEvent.EXPIRE, f"Nobody decided “{step.title}” in time."),
        StepState.CANCELLED: (ExecutionEvent.CANCEL, f"It was cancelled at “{step.title}”."),
    }[StepState(step.state)]
    with transaction.atomic():
        _leave(run, event, outcome=sentence)
        approvals.void(run.id)
    return False


def _finish(run: Run, _todo: Next) -> bool:
    event = ExecutionEvent.FINISH_ROLLBACK if run.rolling_back else ExecutionEvent.SUCCEED
    failed = [s.title for s in run.steps if s.state in {StepState.FAILED, StepState.TIMED_OUT}]
    sentence = f"Passed over, as the document allows: {', '.join(failed)}." if failed else ""
    _leave(run, event, outcome=sentence)
    return False


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
    Do.BEGIN: _begin,
    Do.WATCH: _watch,
    Do.ASK: _ask,
    Do.STUCK: _stuck,
    Do.UNDO: _undo,
    Do.PAUSE: _pause,
    Do.CANCEL: _cancel,
    Do.END: _end,
    Do.FINISH: _finish,
}
