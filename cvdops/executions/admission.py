"""Whether a step may begin now: what changes something waits for its window, and a queued start for all.

A rollback is never held up: what was begun may always be taken back.
"""

from django.db import transaction

from cvdops.access.policy import Action, Decision, can
from cvdops.environments import calendar, vault
from cvdops.environments.schedule import State, following, said
from cvdops.executions import locks, participants
from cvdops.executions.gates import rest
from cvdops.executions.hints import announce
from cvdops.executions.launch import TEMPORARY, starting
from cvdops.executions.models import Execution
from cvdops.executions.plan import from_json
from cvdops.executions.run import Run
from cvdops.executions.states import ExecutionEvent, StepState
from cvdops.executions.waits import WINDOW
from cvdops.lib.errors import Conflict, Reason
from cvdops.spec.document import Category, Kind, Step

AGAIN = 60.0  # seconds between two looks at what keeps a queued start from beginning


def admits(run: Run, indexes: tuple[int, ...]) -> tuple[int, ...]:
    """Those of these step runs that may go on or begin now. If none may, the execution rests or ended."""
    definition = run.definitions[indexes[0]]
    begun = tuple(i for i in indexes if run.steps[i].state != StepState.PENDING)
    if run.rolling_back or definition.kind is Kind.APPROVAL or len(begun) == len(indexes):
        return indexes
    if run.execution.opens_at is not None:
        return indexes if _begins(run) else ()
    if not _changes(run, definition) or not bound(run.execution):
        return indexes
    standing = calendar.standing(run.execution.environment_id)
    if standing.open:
        return indexes
    if not begun:
        rest(run, WINDOW, _closed(definition, standing), definition.id)
    return begun


def bound(execution: Execution) -> bool:
    """Whether windows bind it: not incident runbooks, not emergencies."""
    emergency = bool(execution.plan.get("emergency"))
    return execution.runbook.category != Category.INCIDENTS and not emergency


def refuse_closed(execution: Execution) -> None:
    """Raises Conflict if it waits for its window, and that is not open."""
    if execution.waiting_for.get("code") != WINDOW or not bound(execution):
        return
    standing = calendar.standing(execution.environment_id)
    if not standing.open:
        raise Conflict(f"{execution.environment_id} may not be changed now. {following(standing)}")


def may_begin(execution: Execution) -> Decision:
    """Whether who asked for it could start it now."""
    plan = from_json(execution.plan)
    about = starting(execution.runbook, execution.version, execution.environment, plan)
    about = participants.with_people(about, participants.here(execution.pk))
    return can(execution.requested_by, Action.START, about)


def _changes(run: Run, definition: Step) -> bool:
    child = run.plan.children.get(definition.id)
    return definition.attributes.destructive or (child is not None and child.plan.changes)


def _begins(run: Run) -> bool:
    """Let what was queued for the window begin, if its start is still allowed; with its locks."""
    decision = may_begin(run.execution)
    if _other_secrets(run):
        text = "A secret that it was planned with was changed since: start a new one."
        decision = Decision((*decision.reasons, Reason("secret", text)))
    if not decision.allowed:
        _put_off(run, decision)
        return False
    with transaction.atomic():
        seq = run.hand.change("execution.admitted", opens_at=None)
        announce(run.id, seq)
        run.execution.opens_at = None
        return not run.plan.locks or locks.take(run, run.plan.locks)


def _other_secrets(run: Run) -> bool:
    pinned = run.plan.secrets
    now = vault.versions(run.plan.environment) if pinned else {}
    return any(now.get(name) != version for name, version in pinned.items())


def _put_off(run: Run, decision: Decision) -> None:
    text = " ".join(reason.text for reason in decision.reasons)
    if {reason.code for reason in decision.reasons} <= TEMPORARY:
        standing = calendar.standing(run.execution.environment_id)
        seconds = AGAIN
        if standing.opening:
            seconds = (standing.opening.start - calendar.now()).total_seconds()
            text = f"Its window opens on {said(standing.opening.start)}"
        again = run.execution.waiting_for.get("text") == text
        rest(run, WINDOW, text, due=max(seconds, 1.0), again=again)
        return
    outcome = f"It did not begin when its window opened. {text}"
    with transaction.atomic():
        seq = run.hand.move(
            ExecutionEvent.CANCEL,
            lease_until=None,
            lease_owner="",
            waiting_for={},
            outcome=outcome,
        )
        announce(run.id, seq)


def _closed(definition: Step, standing: State) -> str:
    return (
        f"“{definition.title}” changes something, and its window is closed: somebody resumes, "
        f"cancels or rolls back. {following(standing)}"
    )
