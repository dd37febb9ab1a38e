"""Who holds which role, how far they have come in their training, and who decides for whom."""

from datetime import datetime
from typing import Annotated

from django.db.models import Prefetch, Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from cvdops.access import delegations as delegating
from cvdops.access.certification import Stage, following
from cvdops.access.marks import person, requires
from cvdops.access.models import Delegation, RoleGrant
from cvdops.access.policy import Action, can, standing_of
from cvdops.accounts.models import User
from cvdops.api.asking import Asked, Listed, Moment, Number, Text, first, in_its_words, number
from cvdops.changes import grants
from cvdops.changes.services import mark
from cvdops.executions import evidence, services
from cvdops.lib.errors import NotFound

router = Router(tags=["people"])

_KEPT = Q(ends_at__isnull=True) | Q(ends_at__gt=Now())


class Held(Schema):
    """A role that somebody holds, or will. `mark` is the `seen` of a change of it."""

    role: str
    environment: str
    starts_at: datetime | None
    ends_at: datetime | None
    mark: str

    @classmethod
    def of(cls, grant: RoleGrant) -> "Held":
        return cls(
            role=grant.role_id,
            environment=grant.environment_id or "",
            starts_at=grant.starts_at,
            ends_at=grant.ends_at,
            mark=mark(grants.value(grant.starts_at, grant.ends_at)),
        )


class Person(Schema):
    username: str
    name: str
    roles: list[Held]

    @classmethod
    def of(cls, user: User) -> "Person":
        roles = [Held.of(grant) for grant in user.grants.all()]
        return cls(username=user.username, name=user.name, roles=roles)


class People(Schema):
    items: list[Person]
    next_cursor: str


@router.get("/people", response=People, url_name="api-people")
@requires(Action.READ_PERMISSIONS)
def people(request: HttpRequest, wanted: Query[Listed]) -> People:
    """The active people with the roles that they hold, or will."""
    kept = RoleGrant.objects.filter(_KEPT).order_by("role__order", "pk")
    found = User.objects.filter(is_active=True).order_by("pk")
    found = found.prefetch_related(Prefetch("grants", kept))
    if wanted.cursor:
        found = found.filter(pk__gt=number(wanted.cursor))
    page, following_ = first(found)
    return People(items=[Person.of(one) for one in page], next_cursor=following_)


class Rung(Schema):
    """How somebody stands on the onboarding ladder: the rung that counts, and what leads to the next one."""

    username: str
    stage: int
    label: str
    allows: str
    expired_at: datetime | None
    next_stage: int | None
    requirements: list[str]


class Granted(Asked):
    """A rung from 1 to 5. `note`: why, where not everything that leads there was done."""

    stage: Annotated[Number, Field(ge=1, le=len(Stage))]
    note: Annotated[Text, Field(max_length=2000)] = ""


@router.get("/people/{username}/certification", response=Rung, url_name="api-certification")
@requires(Action.READ_PERMISSIONS)
def certification(request: HttpRequest, username: str) -> Rung:
    """Your own, or that of somebody else for those who grant it or read the audit log."""
    user = person(request)
    them = User.objects.filter(username=username).first()
    reads = them == user or any(
        can(user, action).allowed for action in (Action.CERTIFY, Action.READ_AUDIT)
    )
    if them is None or not reads:
        raise NotFound("person")
    return _rung(them, user)


@router.post("/people/{username}/certification", response={201: Rung}, url_name="api-certification")
@requires(Action.CERTIFY, "POST")
def certify(request: HttpRequest, username: str, granted: Granted) -> Status[Rung]:
    """Put somebody on a rung until the next annual assessment."""
    user = person(request)
    made = services.certify(user, username, str(granted.stage), granted.note)
    return Status(201, _rung(made.user, user))


def _rung(them: User, reader: User) -> Rung:
    certificate = standing_of(them).certificate
    stage = certificate.stage
    found = evidence.toward(stage, evidence.record_of(them, reader))
    return Rung(
        username=them.username,
        stage=stage,
        label=stage.label,
        allows=stage.allows,
        expired_at=certificate.expired,
        next_stage=following(stage),
        requirements=[str(one) for one in found],
    )


class Delegated(Schema):
    """`giver` lets `receiver` decide."""

    id: int
    giver: str
    receiver: str
    reason: str
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, found: Delegation) -> "Delegated":
        return cls(
            id=found.pk,
            giver=found.giver.username,
            receiver=found.receiver.username,
            reason=found.reason,
            starts_at=found.starts_at,
            ends_at=found.ends_at,
            ended_at=found.ended_at,
        )


class Delegations(Schema):
    items: list[Delegated]
    next_cursor: str


class Delegating(Asked):
    receiver: Text
    starts_at: Moment | None = None
    ends_at: Moment
    reason: Text


@router.get("/delegations", response=Delegations, url_name="api-delegations")
@requires(Action.USE_PORTAL)
def delegations(request: HttpRequest, wanted: Query[Listed]) -> Delegations:
    """What you have given and received, newest first."""
    found = _delegations(person(request)).order_by("-pk")
    if wanted.cursor:
        found = found.filter(pk__lt=number(wanted.cursor))
    page, following_ = first(found)
    return Delegations(items=[Delegated.of(one) for one in page], next_cursor=following_)


@router.get("/delegations/{int:delegation_id}", response=Delegated, url_name="api-delegation")
@requires(Action.USE_PORTAL)
def delegation(request: HttpRequest, delegation_id: int) -> Delegated:
    """One of them."""
    found = _delegations(person(request)).filter(pk=delegation_id).first()
    if found is None:
        raise NotFound("delegation")
    return Delegated.of(found)


@router.post("/delegations", response={201: Delegated}, url_name="api-delegations")
@requires(Action.DELEGATE, "POST")
def delegate(request: HttpRequest, asked: Delegating) -> Status[Delegated]:
    """Let somebody else decide for you, for 30 days at most."""
    with in_its_words(until="ends_at", since="starts_at"):
        made = delegating.delegate(
            person(request), asked.receiver, asked.ends_at, asked.reason, asked.starts_at
        )
    made.refresh_from_db()
    return Status(201, Delegated.of(made))


@router.post(
    "/delegations/{int:delegation_id}/end", response=Delegated, url_name="api-delegation-end"
)
@requires(Action.DELEGATE, "POST")
def end(request: HttpRequest, delegation_id: int) -> Delegated:
    """End one that you gave or received."""
    delegating.end(person(request), delegation_id)
    return Delegated.of(_delegations(person(request)).get(pk=delegation_id))


def _delegations(user: User) -> QuerySet[Delegation]:
    """Those that somebody has given or received."""
    found = Delegation.objects.filter(Q(giver=user) | Q(receiver=user))
    return found.select_related("giver", "receiver")
