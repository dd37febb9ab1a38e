"""Who holds which role, and what giving or ending one would do, as pages show it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Prefetch, Q
from django.db.models.functions import Now
from django.utils.dateparse import parse_datetime

from cvdops.access.models import Role, RoleGrant
from cvdops.access.policy import Action, Decision, can
from cvdops.accounts.models import User
from cvdops.changes import grants
from cvdops.changes.kind import Value
from cvdops.changes.models import Change, ChangeState
from cvdops.changes.services import mark, may_propose
from cvdops.environments.models import Environment
from cvdops.lib.errors import NotFound
from cvdops.web.changes import Shown

_KEPT = Q(ends_at__isnull=True) | Q(ends_at__gt=Now())
SHOWN = 50


def everybody() -> Iterable[User]:
    """The active people, with `held`: their roles that have not ended."""
    kept = RoleGrant.objects.filter(_KEPT).select_related("role", "environment")
    held = Prefetch("grants", kept.order_by("role__order", "starts_at"), to_attr="held")
    return User.objects.filter(is_active=True).order_by("name").prefetch_related(held)


@dataclass(frozen=True, slots=True)
class Person:
    """One person's roles, as another person sees them."""

    user: User
    held: tuple[RoleGrant, ...]  # now or later
    ended: tuple[RoleGrant, ...]
    changes: tuple[Shown, ...]  # newest first, open ones among them
    roles: tuple[Role, ...]
    environments: tuple[Environment, ...]
    edit: Decision


def somebody(reader: User, username: str) -> Person:
    """Raises NotFound."""
    user = User.objects.filter(username=username).first()
    if user is None:
        raise NotFound("person")
    found = user.grants.select_related("role", "environment").order_by("role__order", "starts_at")
    changes = Change.objects.filter(kind="grant", key__startswith=f"{username}/")
    known = changes.select_related("proposed_by", "decided_by")[:SHOWN]
    return Person(
        user=user,
        held=tuple(found.filter(_KEPT)),
        ended=tuple(found.exclude(_KEPT)),
        changes=tuple(Shown(change) for change in known),
        roles=tuple(Role.objects.all()),
        environments=tuple(Environment.objects.all()),
        edit=can(reader, Action.EDIT_PERMISSIONS),
    )


@dataclass(frozen=True, slots=True)
class Offer:
    """What somebody is about to do to a role of a person: give it, change its times, end it."""

    key: str
    role: str
    environment: str
    begins: str  # as typed
    ends: str
    end: bool
    before: Value
    after: Value

    @property
    def seen(self) -> str:
        return mark(self.before)

    @property
    def title(self) -> str:
        return grants.title(self.key)

    @property
    def differs(self) -> bool:
        return self.before != self.after

    @property
    def difference(self) -> Sequence[str]:
        return grants.sentences(self.key, self.before, self.after)

    @property
    def consequences(self) -> Sequence[str]:
        return grants.consequences(self.key, self.after)

    @property
    def problems(self) -> Sequence[str]:
        return [problem.message for problem in grants.check(self.key, self.after)]

    @property
    def guarded(self) -> bool:
        return grants.guarded(self.key, self.before, self.after)

    @property
    def proposal(self) -> Change | None:
        return Change.objects.filter(kind="grant", key=self.key, state=ChangeState.PROPOSED).first()


def offer(username: str, data: Mapping[str, str]) -> Offer | None:
    """What was typed, or None if no role was chosen. Times are UTC. Raises NotFound."""
    role, environment = data.get("role", ""), data.get("environment", "")
    if not role:
        return None
    key = grants.key(username, role, environment)
    begins, ends, end = data.get("from", ""), data.get("until", ""), bool(data.get("end"))
    after = None if end else {"from": _moment(begins), "until": _moment(ends)}
    return Offer(key, role, environment, begins, ends, end, grants.current(key), after)


def may_offer(user: User, made: Offer) -> Decision:
    """Whether this person may do it."""
    return may_propose(user, "grant", made.key, made.after)


def _moment(text: str) -> str | None:
    """The typed time as a value says it; what is no time stays as it is, and is refused there."""
    if not text:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        return text
    return f"{found:%Y-%m-%dT%H:%M:%S}Z" if found else text
