"""Holds: what refuses new starts now."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.asking import Asked, Moment, Text
from cvdops.environments.models import Hold
from cvdops.executions import holding
from cvdops.executions.glance import glance
from cvdops.lib.errors import NotFound

router = Router(tags=["holds"])


class HoldShape(Schema):
    """Without an environment and a runbook it is on everything."""

    id: int
    environment: str
    runbook: str
    reason: str
    owner: str
    since: datetime
    until: datetime
    lifted_at: datetime | None

    @classmethod
    def of(cls, hold: Hold) -> "HoldShape":
        return cls(
            id=hold.pk,
            environment=hold.environment_id or "",
            runbook=hold.runbook,
            reason=hold.reason,
            owner=hold.owner.username,
            since=hold.since,
            until=hold.until,
            lifted_at=hold.lifted_at,
        )


class Holds(Schema):
    """All that are in force."""

    items: list[HoldShape]
    next_cursor: str


class HoldAsked(Asked):
    """On an environment, on a runbook, or without both on everything."""

    environment: Text = ""
    runbook: Text = ""
    reason: Annotated[Text, Field(max_length=holding.MAX_REASON)]
    until: Moment


@router.get("/holds", response=Holds, url_name="api-holds")
@requires(Action.READ_ENVIRONMENTS)
def holds(request: HttpRequest) -> Holds:
    """The holds that are in force, on what exists for you."""
    found = glance(person(request)).holds
    return Holds(items=[HoldShape.of(hold) for hold in found], next_cursor="")


@router.get("/holds/{int:hold_id}", response=HoldShape, url_name="api-hold")
@requires(Action.READ_ENVIRONMENTS)
def one(request: HttpRequest, hold_id: int) -> HoldShape:
    """One that is in force, on what exists for you."""
    for hold in glance(person(request)).holds:
        if hold.pk == hold_id:
            return HoldShape.of(hold)
    raise NotFound("hold")


@router.post("/holds", response={201: HoldShape}, url_name="api-holds")
@requires(Action.HOLD, "POST")
def hold(request: HttpRequest, asked: HoldAsked) -> Status[HoldShape]:
    """Refuse new starts for a time. What runs goes on."""
    made = holding.hold(person(request), **asked.dict())
    made.refresh_from_db()
    return Status(201, HoldShape.of(made))


@router.post("/holds/{int:hold_id}/lift", response=HoldShape, url_name="api-hold-lift")
@requires(Action.HOLD, "POST")
def lift(request: HttpRequest, hold_id: int) -> HoldShape:
    """Let starts happen again before its time."""
    found = holding.lift(person(request), hold_id)
    found.refresh_from_db()
    return HoldShape.of(found)
