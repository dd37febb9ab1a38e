"""The verbs of approvals: ask, decide, expire, void. Each is one guarded update."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from cvdops.accounts.models import User
from cvdops.approvals.counting import progress
from cvdops.approvals.groups import Demand, to_json
from cvdops.approvals.models import ApprovalRequest, Decision, RequestState
from cvdops.lib.errors import Conflict, Invalid, Problem


def ask(
    *,
    execution: UUID,
    gate: str,
    title: str,
    message: str,
    category: str,
    environment: str,
    demand: Demand,
    plan_digest: str,
    present_digest: str,
    requested_by: User,
) -> ApprovalRequest:
    """Open a request. Call it inside the transaction of the gate."""
    return ApprovalRequest.objects.create(
        execution_id=execution,
        gate=gate,
        title=title,
        message=message,
        category=category,
        environment=environment,
        groups=to_json(demand.groups),
        reason_required=demand.reason_required,
        plan_digest=plan_digest,
        present_digest=present_digest,
        requested_by=requested_by,
        expires_at=Now() + timedelta(seconds=demand.expires),
    )


@dataclass(frozen=True, slots=True)
class Voice:
    """Whose word it is: of this person, who spoke for themselves or let this other one speak."""

    decides_as: User
    involved: Mapping[UUID, str]  # who may not decide there


def check(request: ApprovalRequest, verdict: str, comment: str, plan_digest: str) -> None:
    """Whether this can be said there now. Raises Conflict, Invalid."""
    if verdict not in Decision.Verdict.values:
        raise Invalid([Problem("decision", "Decide either approve or reject.")])
    if request.state != RequestState.OPEN:
        text = f"{already(request)} Your decision was not recorded."
        raise Conflict(text, "It was settled already")
    if _due(request.pk).exists():
        text = "Nobody may decide it any more: the execution has to be started anew."
        raise Conflict(text, "The request has expired")
    if plan_digest != request.plan_digest:
        text = (
            "What you have read has another plan digest than this request. Nothing was decided: "
            "read what would run, and decide on that."
        )
        raise Conflict(text, "That is not what would run")
    if not comment.strip() and verdict == Decision.Verdict.REJECT:
        raise Invalid([Problem("comment", "Say why you reject it.")])
    if not comment.strip() and request.reason_required:
        raise Invalid([Problem("comment", "Say why you approve it: its policy asks for a reason.")])


def decide(
    request: ApprovalRequest, user: User, voice: Voice, verdict: str, comment: str
) -> ApprovalRequest:
    """Record what this person says, whose right was checked before, and close the request if it settles it.

    Call it after `check`, inside a transaction that holds the request's row lock. Raises Conflict.
    """
    try:
        with transaction.atomic():
            Decision.objects.create(
                request=request,
                user=user,
                person=user.person,
                on_behalf_of=None if voice.decides_as == user else voice.decides_as,
                verdict=verdict,
                comment=comment.strip(),
                plan_digest=request.plan_digest,
            )
    except IntegrityError:
        raise Conflict("You have already decided here.", "You have decided") from None
    if verdict == Decision.Verdict.REJECT:
        _close(request, RequestState.REJECTED)
    elif not any(left for _, left in progress(request, voice.involved)):
        _close(request, RequestState.APPROVED)
    return request


def deciders(request: ApprovalRequest) -> str:
    """Who has decided, by name, in the order in which they did."""
    found = request.decisions.select_related("user", "on_behalf_of").order_by("at")
    return ", ".join(decision.who for decision in found)


def already(request: ApprovalRequest) -> str:
    """By whom and when it was settled, as a sentence."""
    last = request.decisions.select_related("user", "on_behalf_of").order_by("-at").first()
    label = RequestState(request.state).label.lower()
    if last is None or request.closed_at is None:
        return f"This request is {label} already."
    return f"This request was {label} already, by {last.who} at {request.closed_at:%H:%M:%S} UTC."


def lock(request_id: UUID) -> ApprovalRequest:
    """The request with its row locked. Raises ApprovalRequest.DoesNotExist."""
    return ApprovalRequest.objects.select_for_update().get(pk=request_id)


NOT_NEEDED = "Nobody needs it any more."


def void(execution: UUID, reason: str = NOT_NEEDED) -> None:
    """Close what is open for an execution that needs it no more."""
    ApprovalRequest.objects.filter(execution_id=execution, state=RequestState.OPEN).update(
        state=RequestState.VOID, closed_at=Now(), void_reason=reason
    )


def revoke(request: ApprovalRequest, reason: str) -> bool:
    """Let a request, open or approved, not count any more. False if somebody was first."""
    standing = [RequestState.OPEN, RequestState.APPROVED]
    found = ApprovalRequest.objects.filter(pk=request.pk, state__in=standing)
    return bool(found.update(state=RequestState.VOID, closed_at=Now(), void_reason=reason))


def lapsed(request: ApprovalRequest) -> bool:
    """Whether an approval was given longer ago than it holds: as long as there was to decide."""
    found = ApprovalRequest.objects.filter(
        pk=request.pk, closed_at__lt=Now() - (F("expires_at") - F("created_at"))
    )
    return found.exists()


def expire(request_id: UUID) -> bool:
    """Close a request whose time is up. False if it was settled in the meantime."""
    return bool(_due(request_id).update(state=RequestState.EXPIRED, closed_at=Now()))


def _due(request_id: UUID) -> QuerySet[ApprovalRequest]:
    # by the database's clock: the one of this process may be wrong
    return ApprovalRequest.objects.filter(
        pk=request_id, state=RequestState.OPEN, expires_at__lte=Now()
    )


def _close(request: ApprovalRequest, state: RequestState) -> None:
    ApprovalRequest.objects.filter(pk=request.pk, state=RequestState.OPEN).update(
        state=state, closed_at=Now()
    )
    request.refresh_from_db()
