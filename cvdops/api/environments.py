"""Environments: what they consist of, when they may be changed, and what is changed of them at once."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.asking import Asked, Listed, Text, first, one_of
from cvdops.api.sharp import sharp
from cvdops.changes.periods import value
from cvdops.changes.services import mark
from cvdops.environments import calendar
from cvdops.environments.models import Environment, Period
from cvdops.environments.repetition import words
from cvdops.environments.schedule import State, state
from cvdops.executions import inventory, practice, secrets

router = Router(tags=["environments"])


class Standing(Schema):
    """How it stands now: `bound` to windows, and `open` to changes until or from when."""

    bound: bool
    open: bool
    until: datetime | None
    opens_at: datetime | None
    closes_at: datetime | None
    freeze: str

    @classmethod
    def of(cls, found: State) -> "Standing":
        return cls(
            bound=found.bound,
            open=found.open,
            until=found.until,
            opens_at=found.opening.start if found.opening else None,
            closes_at=found.opening.end if found.opening else None,
            freeze=found.freeze,
        )


class EnvironmentItem(Schema):
    """`protected`: a start types its name, and its windows bind."""

    slug: str
    name: str
    protected: bool
    practice: bool
    health_url: str
    standing: Standing


class Environments(Schema):
    items: list[EnvironmentItem]
    next_cursor: str


class HostShape(Schema):
    name: str
    transport: str
    address: str
    port: int | None
    user: str
    key: str
    jump: str
    default: bool
    confirmed_keys: list[str]


class HostGroupShape(Schema):
    name: str
    hosts: list[str]


class DatabaseShape(Schema):
    name: str
    kind: str
    location: str


class AddressShape(Schema):
    """`name` is host and port together, by which it is changed and removed."""

    name: str
    host: str
    port: int


class ValueShape(Schema):
    name: str
    value: str


class SecretShape(Schema):
    """A secret is written and never shown."""

    name: str
    version: int
    set_by: str
    set_at: datetime


class PeriodShape(Schema):
    """A window or freeze. `mark` is the `seen` of a change of it; `rule` is empty for what is once."""

    kind: str
    name: str
    starts_at: datetime
    minutes: int
    rule: str
    words: str
    mark: str

    @classmethod
    def of(cls, period: Period) -> "PeriodShape":
        return cls(
            kind=period.kind,
            name=period.name,
            starts_at=period.starts_at,
            minutes=period.minutes,
            rule=period.rule,
            words=words(period.recurrence),
            mark=mark(value(period.recurrence)),
        )


class EnvironmentDetail(EnvironmentItem):
    hosts: list[HostShape]
    groups: list[HostGroupShape]
    databases: list[DatabaseShape]
    addresses: list[AddressShape]
    variables: list[ValueShape]
    secrets: list[SecretShape]
    periods: list[PeriodShape]


class Secret(Asked):
    name: Annotated[Text, Field(max_length=80)]
    value: Annotated[Text, Field(max_length=secrets.LONGEST)]


class Health(Asked):
    """Where the environment's health is asked, a web address that says 2xx when well; empty: nowhere."""

    health_url: Annotated[Text, Field(max_length=300)]


@router.get("/environments", response=Environments, url_name="api-environments")
@requires(Action.READ_ENVIRONMENTS)
def environments(request: HttpRequest, wanted: Query[Listed]) -> Environments:
    """All of them, by their names in addresses."""
    found = Environment.objects.order_by("slug")
    if wanted.cursor:
        found = found.filter(slug__gt=one_of(Environment.objects.all(), wanted.cursor))
    page, following = first(found.prefetch_related("periods"))
    moment = calendar.now()
    return Environments(items=[_item(one, moment) for one in page], next_cursor=following)


@router.get("/environments/{slug}", response=EnvironmentDetail, url_name="api-environment")
@requires(Action.READ_ENVIRONMENTS)
def environment(request: HttpRequest, slug: str) -> EnvironmentDetail:
    """One of them, with all that it consists of."""
    found = inventory.environment(slug)
    current = found.secrets.filter(replaced_at=None).select_related("set_by")
    return EnvironmentDetail(
        **_item(found, calendar.now()).model_dump(),
        hosts=[
            HostShape(
                name=host.name,
                transport=host.transport,
                address=host.address,
                port=host.port,
                user=host.user,
                key=host.key,
                jump=host.jump,
                default=host.default,
                confirmed_keys=[key.fingerprint for key in host.keys.all()],
            )
            for host in found.hosts.prefetch_related("keys")
        ],
        groups=[
            HostGroupShape(name=group.name, hosts=[host.name for host in group.hosts.all()])
            for group in found.groups.prefetch_related("hosts")
        ],
        databases=[
            DatabaseShape(name=one.name, kind=one.kind, location=one.location)
            for one in found.databases.all()
        ],
        addresses=[
            AddressShape(name=str(one), host=one.host, port=one.port)
            for one in found.addresses.all()
        ],
        variables=[ValueShape(name=v.name, value=v.value) for v in found.variables.all()],
        secrets=[
            SecretShape(name=s.name, version=s.version, set_by=s.set_by.username, set_at=s.set_at)
            for s in current
        ],
        periods=[PeriodShape.of(period) for period in found.periods.all()],
    )


@router.post("/environments/{slug}/secrets", response={201: SecretShape}, url_name="api-secret")
@requires(Action.EDIT_SECRETS, "POST")
@sharp
def set_secret(request: HttpRequest, slug: str, secret: Secret) -> Status[SecretShape]:
    """Set a secret, or replace it by a new version."""
    made = secrets.set_secret(person(request), slug, secret.name, secret.value)
    made.refresh_from_db()
    return Status(
        201,
        SecretShape(
            name=made.name,
            version=made.version,
            set_by=made.set_by.username,
            set_at=made.set_at,
        ),
    )


@router.post(
    "/environments/{slug}/secrets/{name}/remove", response={204: None}, url_name="api-secret-remove"
)
@requires(Action.EDIT_SECRETS, "POST")
@sharp
def remove_secret(request: HttpRequest, slug: str, name: str) -> Status[None]:
    """Take a secret away."""
    secrets.remove_secret(person(request), slug, name)
    return Status(204, None)


@router.post("/environments/{slug}/health", response=EnvironmentItem, url_name="api-health")
@requires(Action.EDIT_ENVIRONMENTS, "POST")
def set_health(request: HttpRequest, slug: str, health: Health) -> EnvironmentItem:
    """Say where the environment's health is asked."""
    inventory.set_health(person(request), slug, health.health_url.strip())
    return _item(inventory.environment(slug), calendar.now())


@router.post("/environments/{slug}/reset", response={204: None}, url_name="api-reset-practice")
@requires(Action.RESET_PRACTICE, "POST")
def reset_practice(request: HttpRequest, slug: str) -> Status[None]:
    """Put the practice CVD of this environment back to how it was delivered."""
    practice.reset(person(request), slug)
    return Status(204, None)


def _item(found: Environment, moment: datetime) -> EnvironmentItem:
    standing = state(calendar.calendar_of(found.periods.all()), moment)
    return EnvironmentItem(
        slug=found.slug,
        name=found.name,
        protected=found.protected,
        practice=found.practice,
        health_url=found.health_url,
        standing=Standing.of(standing),
    )
