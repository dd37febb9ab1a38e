"""Deciding at a gate."""

from typing import Any
from uuid import UUID

from django.db import transaction

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.approvals import services as approvals
from cvdops.approvals.models import ApprovalRequest, RequestState
from cvdops.approvals.queries import gate_of, get_request
from cvdops.audit.log import record
from cvdops.executions import gates
from cvdops.executions.hints import announce, wake
from cvdops.executions.models import Execution, StepRun
from cvdops.executions.plan import digest
from cvdops.executions.states import ExecutionEvent, StepEvent
from cvdops.executions.transitions import DatabaseNow, Hand, Superseded
from cvdops.lib.errors import MOVED_ON, Conflict


def decide(
    user: User, request_id: UUID | str, verdict: str, comment: str = "", plan_digest: str = ""
) -> ApprovalRequest:
    """Approve or reject at a gate. Raises NotFound, Refused, Invalid, Conflict."""
    seen = get_request(user, request_id)
    with transaction.atomic():
        # The execution's row first, then the request's: every verb locks in this order.
        execution = Execution.objects.select_for_update(of=("self",)).get(pk=seen.execution_id)
        request = approvals.lock(seen.pk)
        can(user, Action.DECIDE, gate_of(request)).enforce()
        if request.state == RequestState.OPEN and request.plan_digest != digest(execution.plan):
            text = "What would run is not what was asked for. It has to be asked for anew."
            raise Conflict(text, "What would run has changed")
        request = approvals.decide(request, user, verdict, comment, plan_digest)
        _pass_on(user, execution, request, comment)
        record(
            user,
            Action.DECIDE,
            "approval",
            request.pk,
            data={"verdict": verdict, "comment": comment, "plan_digest": request.plan_digest},
        )
    return request


def _still_waiting(execution: Execution, request: ApprovalRequest, step: StepRun) -> dict[str, Any]:
    """What it says that it waits for, with those who have approved counted."""
    if execution.waiting_for.get("code") != gates.APPROVAL:
        return {}
    text = gates.approval(step.title, request)
    return {"waiting_for": {**execution.waiting_for, "text": text}}


def _pass_on(user: User, execution: Execution, request: ApprovalRequest, comment: str) -> None:
    """Let the execution know of a decision; a settled gate lets it go on to what follows."""
    hand = Hand(execution.pk, actor=user)
    data = {"request": str(request.pk), "state": request.state, "comment": comment}
    step = StepRun.objects.get(execution=execution, key=request.gate)
    if request.state == RequestState.OPEN:
        fields = _still_waiting(execution, request, step)
        announce(execution.pk, hand.change("approval.decision", data, **fields))
        return
    approved = request.state == RequestState.APPROVED
    word = "Approved" if approved else "Rejected"
    try:
        hand.step(
            step.pk,
            StepEvent.SUCCEED if approved else StepEvent.REJECT,
            data,
            note=f"{word} by {user.name}" + (f": {comment.strip()}" if comment.strip() else "."),
            finished_at=DatabaseNow,
        )
        announce(execution.pk, hand.move(ExecutionEvent.READY, waiting_for={}))
    except Superseded:
        text = "The execution no longer waits for this approval."
        raise Conflict(text, MOVED_ON) from None
    wake(execution.pk, execution.environment.queue)
