"""Whether an approval still holds when an execution goes on, and asking anew when it does not.

What was decided is looked at again in the transaction that relies on it: the rights of those who
decided, who has a part in the execution by now, and whether what would be resolved is what they saw.
"""

from django.db.models import Max

from cvdops.approvals import counting
from cvdops.approvals import services as approvals
from cvdops.approvals.models import ApprovalRequest, RequestState
from cvdops.executions import drift
from cvdops.executions.deciders import gate_of
from cvdops.executions.hints import announce
from cvdops.executions.models import Execution, StepRun
from cvdops.executions.separation import Involved
from cvdops.executions.states import StepEvent, StepState
from cvdops.executions.transitions import AFRESH, Hand
from cvdops.spec.document import Kind

SHOWN = 5  # differences in a sentence; the page shows all


def last_approval(execution: Execution) -> tuple[ApprovalRequest, StepRun] | None:
    """The approval under which an execution goes on now: that of the last gate that it has passed."""
    passed = StepRun.objects.filter(
        execution=execution,
        phase=execution.phase,
        kind=Kind.APPROVAL,
        state=StepState.SUCCEEDED,
    )
    step = passed.order_by("-position").first()
    if step is None:
        return None
    requests = ApprovalRequest.objects.filter(
        execution_id=execution.pk, gate=step.key, state=RequestState.APPROVED
    )
    request = requests.select_related("requested_by").order_by("-created_at").first()
    return (request, step) if request else None


def used(execution: Execution, gate: StepRun) -> bool:
    """Whether something after the gate has begun."""
    after = StepRun.objects.filter(
        execution=execution, phase=gate.phase, position__gt=gate.position
    )
    return bool(after.aggregate(begun=Max("attempt_count"))["begun"])


def broken(execution: Execution, request: ApprovalRequest, *, at_its_gate: bool) -> str:
    """Why an approval does not hold any more, in sentences; empty if it does.

    How long ago it was given matters only at its gate: what it let begin may take its time.
    """
    if why := moved(execution, request):
        return why
    parts = gate_of(request).involved
    if any(missing for _, missing in counting.progress(request, parts)):
        return " ".join(
            _why_not(found, parts) for found in counting.counted(request) if not found.counts(parts)
        )
    if at_its_gate and approvals.lapsed(request):
        return "It was given too long ago to begin now."
    return ""


def moved(execution: Execution, request: ApprovalRequest) -> str:
    """What is no longer as it was when the request was made, in a sentence; empty if nothing is."""
    now = drift.present(execution)
    if now.digest == request.present_digest:
        return ""
    told = [str(difference) for difference in now.differences]
    more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    what = "; ".join(told[:SHOWN]) + more if told else "it is again as it was at the start"
    return f"What would run has changed since it was asked for: {what}."


def _why_not(found: counting.Counted, parts: Involved) -> str:
    who = found.decision.who
    for person in found.parties & set(parts):
        return f"{who} approved it, and {parts[person]}: nobody approves what they have a part in."
    return f"{who} approved it, and has not the right to any more."


def hold_or_ask_anew(execution: Execution, hand: Hand, *, resumed: bool = False) -> bool:
    """Look at the approval under which the execution goes on. False: it was void, and its gate opens again.

    Call it inside a transaction. What runs is left to its end. `resumed`: a person lets it go on, so that the
    approval is looked at although what it let begin has begun.
    """
    found = last_approval(execution)
    if found is None:
        return True
    request, gate = found
    begun = used(execution, gate)
    running = StepRun.objects.filter(execution=execution, state=StepState.RUNNING)
    if (begun and not resumed) or running.exists():
        return True
    why = broken(execution, request, at_its_gate=not begun)
    if not why:
        return True
    approvals.revoke(request, why)
    data = {"request": str(request.pk), "reason": why}
    announce(execution.pk, hand.step(gate.pk, StepEvent.RESET, data, note="", **AFRESH))
    return False
