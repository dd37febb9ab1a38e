"""Deciding at a gate."""

from typing import Any
from uuid import UUID

from django.db import transaction

from cvdops.access.policy import Action, Gate, can
from cvdops.access.policy import voice as decides_as
from cvdops.accounts.models import User
from cvdops.approvals import services as approvals
from cvdops.approvals.models import ApprovalRequest, RequestState
from cvdops.approvals.queries import get_request
from cvdops.approvals.services import Voice
from cvdops.audit.log import record
from cvdops.executions import gates, validity, waits
from cvdops.executions.deciders import gate_of
from cvdops.executions.hints import announce, wake
from cvdops.executions.models import Execution, StepRun
from cvdops.executions.plan import digest, from_json
from cvdops.executions.queries import matter
from cvdops.executions.states import ExecutionEvent, StepEvent
from cvdops.executions.transitions import DatabaseNow, Hand, Superseded
from cvdops.lib.errors import MOVED_ON, Conflict

CHANGED = "What would run has changed"


def decide(
    user: User, request_id: UUID | str, verdict: str, comment: str = "", plan_digest: str = ""
) -> ApprovalRequest:
    """Approve or reject at a gate. Raises NotFound, Refused, Invalid, Conflict.

    If what would run has changed since it was asked for, nothing is decided and it is asked for anew.
    """
    seen = get_request(user, request_id)
    with transaction.atomic():
        # The execution's row first, then the request's: every verb locks in this order.
        execution = Execution.objects.select_for_update(of=("self",)).get(pk=seen.execution_id)
        request = approvals.lock(seen.pk)
        gate = gate_of(request)
        can(user, Action.DECIDE, gate).enforce()
        approvals.check(request, verdict, comment, plan_digest)
        if request.plan_digest != digest(execution.plan):
            text = "What would run is not what was asked for: start it anew."
            raise Conflict(text, CHANGED)
        why = validity.moved(execution, request)
        if why:
            _ask_anew(user, execution, request, why)
        else:
            _say(user, execution, request, gate, verdict, comment)
    if why:
        raise Conflict(f"{why} It was asked for anew: decide on that request.", CHANGED)
    return request


def renew(user: User, request_id: UUID | str) -> ApprovalRequest:
    """Ask anew at a gate where what would run has changed since it was asked for.

    For those who may decide there and those who control the execution. Raises NotFound, Refused, Conflict.
    """
    seen = get_request(user, request_id)
    with transaction.atomic():
        execution = Execution.objects.select_for_update(of=("self",)).get(pk=seen.execution_id)
        request = approvals.lock(seen.pk)
        if not can(user, Action.DECIDE, gate_of(request)).allowed:
            can(user, Action.CONTROL, matter(execution)).enforce()
        if request.state != RequestState.OPEN:
            text = f"{approvals.already(request)} There is nothing to ask for anew."
            raise Conflict(text, "It was settled already")
        why = validity.moved(execution, request)
        if not why:
            raise Conflict("Nothing has changed since it was asked for: it can be decided.")
        return _ask_anew(user, execution, request, why)


def _say(
    user: User, execution: Execution, request: ApprovalRequest, gate: Gate, verdict: str, text: str
) -> None:
    voice = Voice(decides_as(user, gate) or user, gate.involved)
    approvals.decide(request, user, voice, verdict, text)
    _pass_on(user, execution, request, text)
    data = {"verdict": verdict, "comment": text, "plan_digest": request.plan_digest}
    if voice.decides_as != user:
        data["for"] = voice.decides_as.username
    record(user, Action.DECIDE, "approval", request.pk, data=data)


def _ask_anew(
    user: User, execution: Execution, request: ApprovalRequest, why: str
) -> ApprovalRequest:
    """Let the request be void, and make another one for what is now."""
    approvals.revoke(request, why)
    plan = from_json(execution.plan)
    step = StepRun.objects.get(execution=execution, key=request.gate)
    anew = gates.ask(execution, plan, plan.step(request.gate).step)
    fields = _still_waiting(execution, anew, step)
    data = {"request": str(anew.pk), "reason": why}
    hand = Hand(execution.pk, actor=user)
    announce(execution.pk, hand.change("approval.anew", data, step.pk, **fields))
    facts = {"verb": "ask_anew", "reason": why, "instead": str(anew.pk)}
    record(user, Action.DECIDE, "approval", request.pk, data=facts)
    return anew


def _still_waiting(execution: Execution, request: ApprovalRequest, step: StepRun) -> dict[str, Any]:
    """What it says that it waits for, with those who have approved counted."""
    if execution.waiting_for.get("code") != waits.APPROVAL:
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
    who = approvals.deciders(request)
    try:
        hand.step(
            step.pk,
            StepEvent.SUCCEED if approved else StepEvent.REJECT,
            data,
            note=f"{word} by {who}" + (f": {comment.strip()}" if comment.strip() else "."),
            finished_at=DatabaseNow,
        )
        announce(execution.pk, hand.move(ExecutionEvent.READY, waiting_for={}))
    except Superseded:
        text = "The execution no longer waits for this approval."
        raise Conflict(text, MOVED_ON) from None
    wake(execution.pk, execution.environment.queue)
