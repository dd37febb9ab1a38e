"""Triggers: setting up inbound webhooks, and receiving what they deliver."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.asking import Asked, Listed, Text, first, identity, number
from cvdops.api.permissions import ReasonShape
from cvdops.api.sharp import sharp
from cvdops.executions import deliveries, triggers
from cvdops.executions.models import Delivery, Trigger
from cvdops.lib.problems import explained

router = Router(tags=["triggers"])

Name = Annotated[Text, Field(max_length=120)]


class TriggerShape(Schema):
    """`deliver` is the address to send to; `unsigned` counts what came without a right signature."""

    id: UUID
    name: str
    runbook: str
    procedure: str
    environment: str
    account: str
    mapping: dict[str, str]
    deliver: str
    secret_shown_to: str
    secret_shown_at: datetime
    disabled_at: datetime | None
    unsigned: int
    unsigned_at: datetime | None

    @classmethod
    def of(cls, found: Trigger) -> "TriggerShape":
        return cls(
            id=found.pk,
            name=found.name,
            runbook=found.runbook,
            procedure=found.procedure,
            environment=found.environment_id,
            account=found.account.username,
            mapping=found.mapping,
            deliver=reverse("api-deliver", args=[found.pk]),
            secret_shown_to=found.shown_to.username,
            secret_shown_at=found.shown_at,
            disabled_at=found.disabled_at,
            unsigned=found.unsigned,
            unsigned_at=found.unsigned_at,
        )


class TriggerDetail(TriggerShape):
    """`not_now`: what would stand in the way of a delivery now, such as a role that its account has not got."""

    not_now: list[ReasonShape]

    @classmethod
    def about(cls, found: Trigger) -> "TriggerDetail":
        not_now = [ReasonShape.of(reason) for reason in triggers.against(found)]
        return cls(**TriggerShape.of(found).model_dump(), not_now=not_now)


class TriggerMade(TriggerDetail):
    """`secret` is shown now and never again."""

    secret: str


class Triggers(Schema):
    items: list[TriggerShape]
    next_cursor: str


class TriggerAsked(Asked):
    """`account`: a service account. `mapping`: variable → JSON pointer into the payload (RFC 6901)."""

    name: Annotated[Text, Field(max_length=80)]
    runbook: Name
    procedure: Name = ""
    environment: Name
    account: Name
    mapping: dict[Name, Annotated[Text, Field(max_length=200)]] = Field({}, max_length=50)


class DeliveryShape(Schema):
    """What came with a right signature: the execution that it started, or why it started none."""

    id: int
    delivery: str
    at: datetime
    execution: UUID | None
    refusal: str

    @classmethod
    def of(cls, found: Delivery) -> "DeliveryShape":
        return cls(
            id=found.pk,
            delivery=found.delivery,
            at=found.at,
            execution=found.execution_id,
            refusal=found.refusal,
        )


class Deliveries(Schema):
    items: list[DeliveryShape]
    next_cursor: str


class Started(Schema):
    """The execution that was asked for. It waits for what it would wait for anyway."""

    execution: UUID
    number: int
    url: str
    state: str


@router.get("/triggers", response=Triggers, url_name="api-triggers")
@requires(Action.EDIT_TRIGGERS)
def all_of_them(request: HttpRequest, wanted: Query[Listed]) -> Triggers:
    """All of them, newest first."""
    found = triggers.all_of_them(person(request)).order_by("-pk")
    if wanted.cursor:
        found = found.filter(pk__lt=identity(wanted.cursor))
    page, following = first(found)
    return Triggers(items=[TriggerShape.of(one) for one in page], next_cursor=following)


@router.post("/triggers", response={201: TriggerMade}, url_name="api-triggers")
@requires(Action.EDIT_TRIGGERS, "POST")
@sharp
def create(request: HttpRequest, asked: TriggerAsked) -> Status[TriggerMade]:
    """Create one. Its secret is in the answer, once."""
    made = triggers.create(person(request), triggers.Wanted(**asked.dict()))
    return Status(201, _with_secret(*made))


@router.get("/triggers/{trigger_id}", response=TriggerDetail, url_name="api-trigger")
@requires(Action.EDIT_TRIGGERS)
def one(request: HttpRequest, trigger_id: str) -> TriggerDetail:
    """One of them, with what would stand in the way of a delivery now."""
    return TriggerDetail.about(triggers.named(person(request), trigger_id))


@router.get(
    "/triggers/{trigger_id}/deliveries", response=Deliveries, url_name="api-trigger-deliveries"
)
@requires(Action.EDIT_TRIGGERS)
def history(request: HttpRequest, trigger_id: str, wanted: Query[Listed]) -> Deliveries:
    """What was delivered, newest first."""
    found = triggers.named(person(request), trigger_id).deliveries.order_by("-pk")
    if wanted.cursor:
        found = found.filter(pk__lt=number(wanted.cursor))
    page, following = first(found)
    return Deliveries(items=[DeliveryShape.of(one) for one in page], next_cursor=following)


@router.post("/triggers/{trigger_id}/rotate", response=TriggerMade, url_name="api-trigger-rotate")
@requires(Action.EDIT_TRIGGERS, "POST")
@sharp
def rotate(request: HttpRequest, trigger_id: str) -> TriggerMade:
    """A new secret; the former one opens nothing any more."""
    return _with_secret(*triggers.rotate(person(request), trigger_id))


@router.post(
    "/triggers/{trigger_id}/disable", response=TriggerDetail, url_name="api-trigger-disable"
)
@requires(Action.EDIT_TRIGGERS, "POST")
def disable(request: HttpRequest, trigger_id: str) -> TriggerDetail:
    """Nothing is started by it any more."""
    return TriggerDetail.about(triggers.disable(person(request), trigger_id))


@router.post("/triggers/{trigger_id}/enable", response=TriggerDetail, url_name="api-trigger-enable")
@requires(Action.EDIT_TRIGGERS, "POST")
@sharp
def enable(request: HttpRequest, trigger_id: str) -> TriggerDetail:
    """It starts executions again."""
    return TriggerDetail.about(triggers.enable(person(request), trigger_id))


def _header(name: str, text: str) -> dict[str, object]:
    shape = {"type": "string", "maxLength": 200}
    return {"in": "header", "name": name, "required": True, "description": text, "schema": shape}


_DELIVERY = {
    "parameters": [
        _header("X-Cvdops-Timestamp", "Seconds since 1970 in UTC, within 5 minutes of now."),
        _header("X-Cvdops-Delivery", "An id of your own, new for each delivery."),
        _header(
            "X-Cvdops-Signature", "`sha256=` and HMAC-SHA-256 of TIMESTAMP.DELIVERY.BODY, in hex."
        ),
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {}, "examples": {}}},
    },
}


@router.post(
    "/triggers/{trigger_id}/deliver",
    response={201: Started},
    url_name="api-deliver",
    openapi_extra=_DELIVERY,
)
@requires(Action.PUBLIC, "POST")
def deliver(request: HttpRequest, trigger_id: str) -> Status[Started] | HttpResponse:
    """Ask for the execution that a trigger stands for, with a signature instead of a token."""
    sent = deliveries.Sent(
        timestamp=request.headers.get("X-Cvdops-Timestamp", ""),
        delivery=request.headers.get("X-Cvdops-Delivery", ""),
        signature=request.headers.get("X-Cvdops-Signature", ""),
        body=request.body,
    )
    try:
        made = deliveries.deliver(trigger_id, sent)
    except deliveries.TooMany as error:
        answer = explained(error)
        answer["Retry-After"] = str(error.seconds)
        return answer
    url = reverse("execution", args=[made.pk])
    return Status(201, Started(execution=made.pk, number=made.number, url=url, state=made.state))


def _with_secret(made: Trigger, secret: str) -> TriggerMade:
    return TriggerMade(**TriggerDetail.about(made).model_dump(), secret=secret)
