"""The kind `grant`: a role held by a person. Its key is `person/role`, or `person/role/environment`.

Giving a role, or giving it for longer, takes a second person where it counts in production. Taking one
away is done at once: whoever has to be stopped is stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from cvdops.access.models import Role, RoleGrant
from cvdops.access.policy import Action
from cvdops.accounts import sessions
from cvdops.accounts.models import User
from cvdops.approvals import gates
from cvdops.approvals.quorum import Leaving
from cvdops.changes import holders
from cvdops.changes.effects import Holding, effects
from cvdops.changes.kind import Value
from cvdops.environments.models import Environment
from cvdops.lib.errors import NotFound, Problem
from cvdops.lib.moments import rfc3339

CALLED = "role of a person"
FIELDS = ("from", "until")


def key(username: str, role: str, environment: str = "") -> str:
    return "/".join(part for part in (username, role, environment) if part)


def value(begins: datetime | None = None, ends: datetime | None = None) -> Value:
    """Held from and until these times; None is at once and for good."""
    return {"from": _text(begins), "until": _text(ends)}


def title(key: str) -> str:
    user, role, environment = _parts(key)
    return f"{role.name} of {user.name}{f' in {environment}' if environment else ''}"


def address(_key: str) -> str:
    return "holders"


def visible(_user: User, _key: str) -> bool:
    return True


def action(_key: str) -> Action:
    return Action.EDIT_PERMISSIONS


def current(key: str) -> Value:
    grant = _grants(*_parts(key)).first()
    return value(grant.starts_at, grant.ends_at) if grant else None


def check(key: str, after: Value) -> Sequence[Problem]:
    user, role, environment = _parts(key)
    if after is None:
        return _locked_out(user, role, environment)
    period = _period(after)
    if period is None:
        return [Problem("until", "Say from when and until when, as UTC, and nothing else.")]
    now = timezone.now()
    problems = []
    if not user.is_active:
        problems.append(Problem("person", f"The account of {user.name} is deactivated."))
    if period.ends and period.ends <= (period.begins or now):
        problems.append(Problem("until", "It has to end after it begins, and after now."))
    was = _period(current(key))
    if period.begins and period.begins < now and (was is None or was.begins != period.begins):
        problems.append(Problem("from", "It cannot begin in the past. Leave it empty for at once."))
    if not period.lasts:
        problems.extend(_locked_out(user, role, environment))
    return problems


def guarded(key: str, before: Value, after: Value) -> bool:
    _, _, environment = _parts(key)
    if environment and not Environment.objects.filter(pk=environment, protected=True).exists():
        return False
    new, old = _period(after), _period(before)
    return new is not None and (old is None or not new.within(old))


def about(key: str, _before: Value, _after: Value) -> frozenset[UUID]:
    """Who gets the role, or loses it: nobody edits their own."""
    return frozenset({_parts(key)[0].person})


def apply(key: str, after: Value) -> None:
    user, role, environment = _parts(key)
    grants = _grants(user, role, environment)
    period = _period(after)
    sessions.renew(user)
    kept = grants.first() if period else None
    others = grants.exclude(pk=kept.pk) if kept else grants
    others.filter(starts_at__gte=Now()).delete()
    others.update(ends_at=Now())
    if period is None:
        return
    times = {"starts_at": period.begins, "ends_at": period.ends}
    if kept:
        RoleGrant.objects.filter(pk=kept.pk).update(**times)
    else:
        RoleGrant.objects.create(user=user, role=role, environment_id=environment or None, **times)


def sentences(key: str, before: Value, after: Value) -> Sequence[str]:
    _, _, rest = key.partition("/")
    role, _, environment = rest.partition("/")
    place = f" in {environment}" if environment else ""
    return [f"{role}{place}: {_said(before)} → {_said(after)}"]


def consequences(key: str, after: Value) -> Sequence[str]:
    user, role, environment = _parts(key)
    now = holders.holdings()
    mine = Holding(user.username, user.name, role.pk, role.leads, environment)
    others = [holding for holding in now if holding != mine]
    later = others if after is None else [*others, mine]
    found = effects(now, holders.cells(), after=later)
    said = [str(effect) for effect in holders.as_trained(found)]
    if (after is None) == (mine in now):  # else it only changes for how long
        verb = "loses" if after is None else "gains"
        kept = _kept(user, role, environment)
        rights = [right for right in _rights(role, environment) if right not in kept]
        said += [f"{user.name} {verb}: {right}." for right in rights]
    if after is None:
        said += gates.left_stuck(Leaving(user.person, roles=((role.pk, environment or None),)))
    return said


def _kept(user: User, role: Role, environment: str) -> set[str]:
    """What they have for good by what they hold everywhere beside it: they neither gain nor lose that."""
    begun = Q(starts_at__isnull=True) | Q(starts_at__lte=Now())
    grants = RoleGrant.objects.filter(begun, user=user, ends_at=None, environment=None)
    beside = grants if environment else grants.exclude(role=role)
    return {
        right
        for grant in beside.select_related("role")
        for place in ("", environment)
        for right in _rights(grant.role, place)
    }


def _rights(role: Role, environment: str) -> list[str]:
    """What the role gives beside its cells."""
    place = f" in {environment}" if environment else ""
    rights = [f"counts as {role.name} where an approval asks for one{place}"]
    if not environment:
        flags = {
            "administers accounts and settings": role.administers,
            "changes environments and permissions": role.administers or role.leads,
            "reads the audit log": role.reads_audit,
        }
        rights += [text for text, given in flags.items() if given]
    return rights


@dataclass(frozen=True, slots=True)
class _Period:
    begins: datetime | None
    ends: datetime | None

    @property
    def lasts(self) -> bool:
        """It is in force now, and for good."""
        return self.ends is None and (self.begins is None or self.begins <= timezone.now())

    def within(self, other: "_Period") -> bool:
        """It gives at no time what the other one does not."""
        begins = other.begins is None or (self.begins or timezone.now()) >= other.begins
        ends = other.ends is None or (self.ends is not None and self.ends <= other.ends)
        return begins and ends


def _period(given: Value) -> _Period | None:
    """The times of a value; None if there is none, or if it says anything else."""
    if given is None or set(given) != set(FIELDS):
        return None
    times = []
    for name in FIELDS:
        text = given[name]
        moment = _moment(text) if isinstance(text, str) else None
        if text is not None and moment is None:
            return None
        times.append(moment)
    return _Period(*times)


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def _text(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def _said(given: Value) -> str:
    period = _period(given)
    if period is None:
        return "not held"
    begins = f" from {period.begins:%Y-%m-%d %H:%M} UTC" if period.begins else ""
    return f"held{begins}{f' until {period.ends:%Y-%m-%d %H:%M} UTC' if period.ends else ''}"


def _locked_out(user: User, role: Role, environment: str) -> list[Problem]:
    gone = _grants(user, role, environment).values_list("pk", flat=True)
    sentence = holders.locked_out(gone)
    return [Problem("until", sentence)] if sentence else []


def _grants(user: User, role: Role, environment: str) -> QuerySet[RoleGrant]:
    """What has not ended, the first to begin first."""
    found = RoleGrant.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=Now()))
    place = Q(environment=environment) if environment else Q(environment__isnull=True)
    return found.filter(place, user=user, role=role).order_by("starts_at", "pk")


def _parts(key: str) -> tuple[User, Role, str]:
    username, _, rest = key.partition("/")
    slug, _, environment = rest.partition("/")
    user = User.objects.filter(username=username).first()
    role = Role.objects.filter(pk=slug).first()
    if environment and not Environment.objects.filter(pk=environment).exists():
        raise NotFound("environment")
    if user is None or role is None:
        raise NotFound("person or role")
    return user, role, environment
