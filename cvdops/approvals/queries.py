"""Reading approval requests as one person may."""

from uuid import UUID

from django.db.models import QuerySet

from cvdops.access.policy import in_sight
from cvdops.accounts.models import User
from cvdops.approvals.models import ApprovalRequest, Decision
from cvdops.lib.errors import NotFound
from cvdops.lib.together import Fixed


def visible(user: User) -> QuerySet[ApprovalRequest]:
    """The requests about executions that this person may see, newest first."""
    found = ApprovalRequest.objects.filter(in_sight(user, "category", "environment"))
    return found.select_related("requested_by").prefetch_related(
        "decisions__user", "decisions__on_behalf_of"
    )


def get_request(user: User, request_id: str | UUID) -> ApprovalRequest:
    """One of the visible requests. Raises NotFound."""
    try:
        return visible(user).prefetch_related(None).get(pk=UUID(str(request_id)))
    except (ValueError, ApprovalRequest.DoesNotExist):
        raise NotFound("approval request") from None


@Fixed
def requests_by(execution_id: UUID) -> QuerySet[ApprovalRequest]:
    """Those of an execution, oldest first; whoever sees it sees them."""
    found = ApprovalRequest.objects.filter(execution_id=execution_id)
    return found.select_related("requested_by").order_by("created_at")


@Fixed
def decisions_by(execution_id: UUID) -> QuerySet[Decision]:
    """What was said to them."""
    found = Decision.objects.filter(request__execution_id=execution_id)
    return found.select_related("user", "on_behalf_of")
