"""`runbook` steps: the execution of another runbook, with its own page, approvals and end."""

from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from cvdops.access.policy import Action, can
from cvdops.catalog.models import RunbookVersion
from cvdops.catalog.queries import document
from cvdops.executions import context, gates, participants
from cvdops.executions.creation import create
from cvdops.executions.hints import announce, wake
from cvdops.executions.launch import NAMED, secret_names, starting
from cvdops.executions.models import Execution, StepRun
from cvdops.executions.plan import ChildPlan, fingerprint
from cvdops.executions.run import Run
from cvdops.executions.states import CHILD, ExecutionEvent, ExecutionState, StepEvent, StepState
from cvdops.executions.transitions import DatabaseNow, Hand, Superseded
from cvdops.lib.errors import Conflict
from cvdops.spec.document import Kind, Step
from cvdops.spec.document import Runbook as Document
from cvdops.spec.values import variables_of, why_not

_ENDS = {
    ExecutionState.SUCCEEDED: StepEvent.SUCCEED,
    ExecutionState.REJECTED: StepEvent.REJECT,
    ExecutionState.EXPIRED: StepEvent.EXPIRE,
}


def open_step(run: Run, step: StepRun, definition: Step) -> bool:
    """Start the child and wait for it. True if it could not be started: the step has failed."""
    pinned = run.plan.children[definition.id]
    version = RunbookVersion.objects.select_related("runbook").get(pk=pinned.version)
    doc = document(version)
    values, problem = _values(run, definition, pinned, doc)
    problem = problem or _refusal(run, version, pinned)
    if problem:
        return _fail(run, step, problem)
    step.attempt_count += 1
    try:
        with transaction.atomic():
            run.hand.step(
                step.pk, StepEvent.OPEN, attempt_count=step.attempt_count, started_at=DatabaseNow
            )
            child = _create(run, step, version, pinned, values, doc)
            text = f"The runbook that “{step.title}” started"
            gates.rest(run, CHILD, text, step.key, more={"child": str(child.pk)})
    except Conflict as error:
        step.attempt_count -= 1
        return _fail(run, step, str(error))
    step.state = StepState.WAITING
    return False


def _fail(run: Run, step: StepRun, problem: str) -> bool:
    announce(run.id, run.hand.step(step.pk, StepEvent.FAIL, note=problem))
    step.state = StepState.FAILED
    return True


def _create(
    run: Run,
    step: StepRun,
    version: RunbookVersion,
    pinned: ChildPlan,
    values: dict[str, str],
    doc: Document,
) -> Execution:
    hidden = secret_names(doc)
    public = {
        name: fingerprint(value, settings.SECRET_KEY) if name in hidden else value
        for name, value in values.items()
    }
    plan = pinned.plan.with_variables(public, _given(run, step))
    reason = f"Step “{step.title}” of execution {run.execution}. {run.execution.reason}"
    data = {"version": version.number, "parent": str(run.id)}
    return create(
        run.execution.requested_by, version, plan, values, hidden, reason, data, parent=step
    )


def _given(run: Run, step: StepRun) -> Iterable[str]:
    """The variables that the parent gives a value."""
    child = run.plan.step(step.key).step.child
    return child.variables if child else ()


def _values(
    run: Run, definition: Step, pinned: ChildPlan, doc: Document
) -> tuple[dict[str, str], str]:
    """The child's values, and the first thing that is wrong with them."""
    assert definition.child is not None  # noqa: S101 — the parser has looked
    secrets = context.secrets(run.execution)
    known = {**context.variables(run.execution, run.plan.default_host), **secrets}
    declared = {v.name: v for v in variables_of(doc, pinned.plan.procedure)}
    hidden = secret_names(doc)  # in the plan they are digests
    values = {n: value for n, value in pinned.plan.variables.items() if n not in hidden}
    for name, text in definition.child.variables.items():
        value = NAMED.sub(lambda match: known.get(match[1], ""), text)
        if problem := why_not(declared[name], value):
            return {}, f"{definition.child.runbook}: {problem}"
        if not declared[name].secret and any(s and s in value for s in secrets.values()):
            return (
                {},
                f"{name} of {definition.child.runbook} is not secret, and was given a secret.",
            )
        values[name] = value
    return values, ""


def _refusal(run: Run, version: RunbookVersion, pinned: ChildPlan) -> str:
    """Why the one who asked for it may not start the child any more; empty if they may."""
    about = starting(version.runbook, version, run.execution.environment, pinned.plan)
    about = participants.with_people(about, participants.here(run.id))
    decision = can(run.execution.requested_by, Action.START, about)
    return "" if decision.allowed else " ".join(reason.text for reason in decision.reasons)


def settle(parent: UUID | None = None) -> None:
    """Let the steps go on whose child is over: all of them, or this one."""
    waiting = StepRun.objects.filter(
        kind=Kind.RUNBOOK,
        state=StepState.WAITING,
        children__parent_attempt=F("attempt_count"),
        children__finished_at__isnull=False,
    )
    if parent is not None:
        waiting = waiting.filter(pk=parent)
    for step in waiting.select_related("execution__environment")[:100]:
        child = step.children.order_by("-parent_attempt").first()
        if child is None or not child.is_over:
            continue
        try:
            with transaction.atomic():
                _settle(step, child)
        except Superseded:
            continue  # somebody was first


def _settle(step: StepRun, child: Execution) -> None:
    hand = Hand(step.execution_id)
    event = _ENDS.get(ExecutionState(child.state), StepEvent.FAIL)
    if child.state == ExecutionState.CANCELLED and step.execution.waiting_for.get("cancelling"):
        event = StepEvent.CANCEL
    note = f"Execution {child} {child.look.label.lower()}. {child.outcome}".strip()
    hand.step(step.pk, event, {"child": str(child.pk)}, note=note, finished_at=DatabaseNow)
    announce(step.execution_id, hand.move(ExecutionEvent.READY, waiting_for={}))
    wake(step.execution_id, step.execution.environment.queue)


def active(execution: Execution) -> Execution | None:
    """The child that runs now, if any."""
    children = Execution.objects.filter(parent__execution=execution, finished_at=None)
    return children.select_related("environment", "runbook").first()
