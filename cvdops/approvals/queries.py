"""Reading approval requests as one person may."""

from uuid import UUID

from django.db.models import QuerySet

from cvdops.access.policy import Gate, Matter, may_decide, visible_categories
from cvdops.accounts.models import User
from cvdops.approvals.models import ApprovalRequest, RequestState
from cvdops.lib.errors import NotFound


def visible(user: User) -> QuerySet[ApprovalRequest]:
    """The requests about runbooks that this person may see, newest first."""
    found = ApprovalRequest.objects.filter(category__in=visible_categories(user))
    return found.select_related("requested_by").prefetch_related("decisions__user")


def inbox(user: User) -> list[ApprovalRequest]:
    """The open requests that this person may decide now."""
    found = visible(user).filter(state=RequestState.OPEN)
    requests = list(found.exclude(decisions__person=user.person).prefetch_related(None))
    answers = may_decide(user, [gate_of(request) for request in requests])
    return [request for request, may in zip(requests, answers, strict=True) if may]


def get_request(user: User, request_id: str | UUID) -> ApprovalRequest:
    """One of the visible requests. Raises NotFound."""
    try:
        return visible(user).get(pk=UUID(str(request_id)))
    except (ValueError, ApprovalRequest.DoesNotExist):
        raise NotFound("approval request") from None


def gate_of(request: ApprovalRequest) -> Gate:
    """What the policy has to know to say who may decide."""
    return Gate(
        Matter(request.category, request.environment),
        frozenset(name for group in request.groups for name in group["approvers"]),
        frozenset({request.requested_by.person}),
    )
