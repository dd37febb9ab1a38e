"""Steps that people do: approval gates, manual steps, checklists. They wait in no worker."""

from collections.abc import Mapping
from dataclasses import replace

from django.db import transaction

from cvdops.approvals import services as approvals
from cvdops.approvals.models import ApprovalRequest, RequestState
from cvdops.environments import calendar
from cvdops.executions import deciders, drift, openings, waits
from cvdops.executions.hints import announce
from cvdops.executions.models import ChecklistMark, Execution, StepRun
from cvdops.executions.plan import Plan
from cvdops.executions.run import Run
from cvdops.executions.states import CHILD, ExecutionEvent, StepEvent, StepState
from cvdops.executions.transitions import DatabaseNow, InSeconds
from cvdops.spec.document import Kind, Step


def open_step(run: Run, step: StepRun, definition: Step) -> None:
    """Open the step for whom it needs, and let the execution wait for them. One transaction."""
    with transaction.atomic():
        run.hand.step(
            step.pk, StepEvent.OPEN, started_at=DatabaseNow, attempt_count=step.attempt_count + 1
        )
        if definition.kind is Kind.APPROVAL:
            ask(run.execution, run.plan, definition)
        else:
            _list(run, step, definition)
        wait_for(run, definition)
    step.state = StepState.WAITING


def wait_for(run: Run, definition: Step) -> None:
    """Let the execution wait for a step that is open. Gives the lease back."""
    if definition.kind is Kind.RUNBOOK:
        code, text = CHILD, f"The runbook that “{definition.title}” started"
    elif definition.kind is Kind.APPROVAL:
        request = ApprovalRequest.objects.get(
            execution_id=run.id, gate=definition.id, state=RequestState.OPEN
        )
        code, text = waits.APPROVAL, approval(definition.title, request)
    else:
        code, text = "person", f"Somebody confirms: {definition.title}"
    rest(run, code, text, definition.id)


def approval(title: str, request: ApprovalRequest) -> str:
    """What an execution at a gate waits for; of several approvals, how many there are."""
    progress = deciders.progress(request)
    required = sum(group.required for group, _ in progress)
    given = required - sum(missing for _, missing in progress)
    count = f" {given} of {required}" if required > 1 else ""
    return f"Approval{count}: {title}"


def rest(
    run: Run,
    code: str,
    text: str,
    step: str = "",
    due: float | None = None,
    more: Mapping[str, object] | None = None,
    *,
    again: bool = False,
    **fields: object,
) -> None:
    """Let the execution wait, saying for what, and until when (seconds from now) if it ends by itself.

    With `again` people are not told: they know from the time before.
    """
    seq = run.hand.move(
        ExecutionEvent.WAIT,
        {"code": code, "text": text, "again": again},
        waiting_for={"code": code, "text": text, "step": step, **(more or {})},
        lease_until=None,
        lease_owner="",
        due_at=None if due is None else InSeconds(due),
        **fields,
    )
    announce(run.id, seq)


def ask(execution: Execution, plan: Plan, definition: Step) -> ApprovalRequest:
    """Ask for the approval of a gate, of those who have to agree as the policies are now.

    Of what is queued for a window there is that much longer to decide, and a decision holds that much longer.
    """
    now = drift.present(execution)
    demand = now.gates.get(definition.id, plan.gates[definition.id])
    return approvals.ask(
        execution=execution.pk,
        gate=definition.id,
        title=f"{execution.runbook.title}: {definition.title}",
        message=definition.gate.message if definition.gate else "",
        category=execution.runbook.category,
        environment=execution.environment_id,
        demand=replace(demand, expires=demand.expires + _until_it_opens(execution)),
        plan_digest=execution.plan_digest,
        present_digest=now.digest,
        requested_by=execution.requested_by,
    )


def _until_it_opens(execution: Execution) -> float:
    """Seconds until the window opens that the execution is queued for."""
    opens_at = openings.begins(execution) or execution.opens_at
    if opens_at is None:
        return 0.0
    return max((opens_at - calendar.now()).total_seconds(), 0.0)


def _list(run: Run, step: StepRun, definition: Step) -> None:
    texts = [item.text for item in definition.checklist] or [definition.body.strip()]
    ChecklistMark.objects.bulk_create(
        [
            ChecklistMark(
                execution=run.execution,
                moment=ChecklistMark.Moment.STEP,
                step=step,
                position=position,
                text=text or definition.title,
            )
            for position, text in enumerate(texts)
        ],
        ignore_conflicts=True,  # a step that is opened again keeps what was confirmed
    )
