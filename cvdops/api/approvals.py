"""Requests for approval, and deciding on them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel, Field

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, Gate
from cvdops.api.asking import Asked, Listed, Text, first, identity
from cvdops.approvals import counting
from cvdops.approvals.models import ApprovalRequest, RequestState
from cvdops.approvals.queries import get_request, visible
from cvdops.executions import deciders, services

router = Router(tags=["approvals"])


class GroupShape(BaseModel):
    """Of these roles or named groups so many persons have to agree, and so many are missing."""

    approvers: list[str]
    required: int
    missing: int


class DecisionShape(BaseModel):
    user: str
    on_behalf_of: str | None
    decision: str
    comment: str
    at: datetime


class Approval(BaseModel):
    """A request. `plan_digest` names what would run: a decision has to carry it."""

    id: UUID
    execution: UUID
    gate: str
    title: str
    environment: str
    requested_by: str
    groups: list[GroupShape]
    decisions: list[DecisionShape]
    created_at: datetime
    expires_at: datetime
    plan_digest: str
    state: str
    void_reason: str


class Approvals(BaseModel):
    items: list[Approval]
    next_cursor: str


class Wanted(Listed):
    state: RequestState | None = None


class Verdict(Asked):
    """A decision on this request. With `plan_digest`, that of the request as you read it, on no other plan."""

    decision: Literal["approve", "reject"]
    plan_digest: Annotated[Text, Field(min_length=1, max_length=64)] = Field(default_factory=str)
    comment: Annotated[Text, Field(max_length=2000)] = ""


def shapes(requests: Sequence[ApprovalRequest]) -> list[Approval]:
    """The requests, with those counted who may decide now."""
    gates = deciders.gates_of(requests)
    return [_shape(one, gate) for one, gate in zip(requests, gates, strict=True)]


def _shape(request: ApprovalRequest, gate: Gate) -> Approval:
    return Approval(
        id=request.pk,
        execution=request.execution_id,
        gate=request.gate,
        title=request.title,
        environment=request.environment,
        requested_by=request.requested_by.username,
        groups=[
            GroupShape(approvers=list(group.approvers), required=group.required, missing=missing)
            for group, missing in counting.progress(request, gate.involved)
        ],
        decisions=[
            DecisionShape(
                user=said.user.username,
                on_behalf_of=said.on_behalf_of.username if said.on_behalf_of else None,
                decision=said.verdict,
                comment=said.comment,
                at=said.at,
            )
            for said in request.decisions.all()
        ],
        created_at=request.created_at,
        expires_at=request.expires_at,
        plan_digest=request.plan_digest,
        state=request.state,
        void_reason=request.void_reason,
    )


@router.get("/approvals", response=Approvals, url_name="api-approvals")
@requires(Action.USE_PORTAL)
def approvals(request: HttpRequest, wanted: Query[Wanted]) -> Approvals:
    """The requests that you may see, newest first."""
    found = visible(person(request)).order_by("-id")
    if wanted.state:
        found = found.filter(state=wanted.state)
    if wanted.cursor:
        found = found.filter(pk__lt=identity(wanted.cursor))
    page, following = first(found)
    return Approvals(items=shapes(page), next_cursor=following)


@router.post("/approvals/{request_id}/decide", response=Approval, url_name="api-approval-decide")
@requires(Action.DECIDE, "POST")
def decide(request: HttpRequest, request_id: str, said: Verdict) -> Approval:
    """Approve or reject. If what would run has changed, nothing is decided and it is asked for anew."""
    user = person(request)
    # A request is about one plan for good: what changes is asked for anew, by another request.
    digest = said.plan_digest or get_request(user, request_id).plan_digest
    services.decide(user, request_id, said.decision, said.comment.strip(), digest)
    return shapes([get_request(user, request_id)])[0]
