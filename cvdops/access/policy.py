"""The one place that is asked who may do what. Pages, API and commands ask it, and it explains itself.

The answers are those of `access.rules`, for the person as they stand now or at another time.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import JSONObject, Now

from cvdops.access import rules
from cvdops.access.certification import Certificate, Stage
from cvdops.access.levels import Level
from cvdops.access.models import (
    ApproverGroup,
    Certification,
    Delegation,
    MatrixCell,
    Role,
    RoleGrant,
)
from cvdops.access.standing import Held, Standing
from cvdops.access.subjects import (
    ALLOWED,
    LOGGED_IN,
    NEEDED,
    UNCATEGORISED,
    Action,
    Decision,
    Gate,
    Matter,
    Subject,
)
from cvdops.accounts.models import User
from cvdops.environments.calendar import obstacles
from cvdops.environments.models import Environment
from cvdops.environments.schedule import Work
from cvdops.lib.errors import Reason
from cvdops.spec.document import Category

__all__ = ["ALLOWED", "NEEDED", "UNCATEGORISED", "Action", "Decision", "Gate", "Matter", "Subject"]


def can(
    user: User | AnonymousUser,
    action: Action,
    subject: Subject = None,
    at: datetime | None = None,
) -> Decision:
    """May this person do this, now or at a time? Asked anew each time: nobody's rights are kept."""
    if action is Action.PUBLIC:
        return ALLOWED
    if not isinstance(user, User) or not user.is_active:
        return rules.no("login", "You are not logged in.", "Log in.")
    if action in LOGGED_IN:
        return ALLOWED
    standing = at_gates(user, at) if action is Action.DECIDE else standing_of(user, at)
    decision = rules.decide(standing, action, subject, role_names)
    if action is Action.START and isinstance(subject, Matter) and subject.runbook:
        return Decision((*decision.reasons, *_in_the_way(subject, at)))
    return decision


def _in_the_way(matter: Matter, at: datetime | None) -> tuple[Reason, ...]:
    """The holds, freezes and windows that refuse a start, whoever asks for it."""
    incident = matter.category == Category.INCIDENTS
    work = Work(read_only=matter.read_only, incident=incident, emergency=matter.emergency)
    return obstacles(matter.environment, matter.runbook, work, at)


def each(user: User, actions: Iterable[Action], subject: Subject) -> dict[Action, Decision]:
    """`can`, for several actions on the same subject: the rights are read once."""
    standing = standing_of(user)
    return {action: rules.decide(standing, action, subject, role_names) for action in actions}


def voice(user: User, gate: Gate) -> User | None:
    """The one as whom this person may decide there: themselves or who delegated to them; None: nobody."""
    found = rules.voice(at_gates(user), gate)
    if found is None or found.person == user.person:
        return None if found is None else user
    return next(giver for giver in _givers(user) if giver.person == found.person)


def at_gates(user: User, at: datetime | None = None) -> Standing:
    """How this person stands where decisions are made: with groups and delegations."""
    groups, givers = _at_gates(user, at)
    behalf = tuple(
        replace(standing_of(giver, at), groups=_at_gates(giver, at)[0]) for giver in givers
    )
    return replace(standing_of(user, at), groups=groups, behalf=behalf)


def _at_gates(user: User, at: datetime | None) -> tuple[frozenset[str], list[User]]:
    """The named groups of approvers that somebody is in, and who lets them decide."""
    received = Delegation.objects.in_force(at).filter(receiver=user).values("giver")
    found = User.objects.annotate(
        named=ArraySubquery(ApproverGroup.objects.filter(members=user).values("pk"))
    )
    groups: frozenset[str] = frozenset()
    givers: list[User] = []
    for account in found.filter(Q(pk=user.pk) | Q(pk__in=received)):
        if account.pk == user.pk:
            groups = frozenset(account.named)
        else:
            givers.append(account)
    return groups, givers


def _givers(user: User) -> list[User]:
    return _at_gates(user, None)[1]


def levels(user: User, environment: str = "", *, security: bool = False) -> dict[str, Level]:
    """Category → the level that this person has there now (see `rules.levels`)."""
    return rules.levels(standing_of(user), environment, security=security)


def standing_of(user: User, at: datetime | None = None) -> Standing:
    """How this person stands at a time (default: now, by the database's clock). One query."""
    if not user.is_active:
        return Standing(user.person, active=False)
    rows = list(
        RoleGrant.objects.in_force(at)
        .filter(user=user)
        .annotate(certificate=Subquery(_certificate(at)))
        .values_list(
            "certificate",
            "pk",
            "role_id",
            "environment_id",
            "role__leads",
            "role__reads_audit",
            "role__administers",
            "role__cells__category",
            "role__cells__level",
        )
    )
    held: dict[int, tuple[str, str, bool, bool, bool]] = {}
    levels: dict[int, dict[str, Level]] = {}
    for _, grant, role, environment, leads, reads_audit, administers, category, level in rows:
        held[grant] = (role, environment or "", leads, reads_audit, administers)
        row = levels.setdefault(grant, {})
        if category is not None:
            row[category] = Level(level)
    return Standing(
        user.person,
        active=True,
        held=tuple(
            Held(role, levels[grant], environment, leads, reads_audit, administers)
            for grant, (role, environment, leads, reads_audit, administers) in held.items()
        ),
        certificate=_understood(rows[0][0] if rows else None),
    )


def _certificate(at: datetime | None) -> QuerySet[Certification, dict[str, object]]:
    """The newest of the person of a grant, as a part of a query."""
    moment = at or Now()
    mine = Certification.objects.filter(user=OuterRef("user"), granted_at__lte=moment)
    expired = Case(When(Q(expires_at__lte=moment), then=F("expires_at")))
    return mine.order_by("-id").values_list(JSONObject(stage="stage", expired=expired), flat=True)[
        :1
    ]


def _understood(found: dict[str, Any] | None) -> Certificate:
    """Who was never certified stands on the first rung."""
    if found is None:
        return Certificate()
    expired = datetime.fromisoformat(found["expired"]) if found["expired"] else None
    return Certificate(Stage(found["stage"]), expired)


def visible_categories(user: User) -> QuerySet[MatrixCell, str]:
    """The categories whose runbooks exist for this person, in any environment: a part of a query."""
    grants = RoleGrant.objects.in_force().filter(user=user)
    cells = MatrixCell.objects.filter(role__in=grants.values("role"), level__gte=Level.REVIEW)
    return cells.values_list("category", flat=True)


def readable_categories(user: User) -> QuerySet[MatrixCell, str]:
    """The same for the documents themselves: with the empty category, for who sees all the others."""
    seen = visible_categories(user)
    all_of_them = seen.order_by().annotate(none=Value(UNCATEGORISED)).values("none")
    counted = all_of_them.annotate(seen=Count("category", distinct=True))
    return seen.union(counted.filter(seen=len(Category)).values_list("none", flat=True))


def in_sight(user: User, category: str, environment: str) -> Q:
    """What may be read where it was run: a part of a query. The names are those of its two fields.

    It is what the rules say of READ_EXECUTION: a role that holds in one environment shows those of that one.
    """
    cells = {"role__cells__level__gte": Level.REVIEW}
    grants = RoleGrant.objects.in_force().filter(user=user)
    everywhere = grants.filter(environment=None, **cells).values("role__cells__category")
    there = Q(environment=OuterRef(environment))
    here = grants.filter(there, role__cells__category=OuterRef(category), **cells)
    counted = grants.filter(there | Q(environment=None), **cells).values("user")
    counted = counted.annotate(seen=Count("role__cells__category", distinct=True))
    return (
        Q(**{f"{category}__in": everywhere})
        | Q(Exists(here))
        | Q(Q(**{category: UNCATEGORISED}), Exists(counted.filter(seen=len(Category))))
    )


def sees_something(user: User, environment: str) -> Exists:
    """Whether this person may read anything of what is run there: a part of a query."""
    grants = RoleGrant.objects.in_force().filter(user=user, role__cells__level__gte=Level.REVIEW)
    return Exists(grants.filter(Q(environment=None) | Q(environment=OuterRef(environment))))


def where(user: User, action: Action) -> dict[str, frozenset[str]]:
    """Environment → the categories on which this person may do this there, whichever runbook of them it is."""
    standing = standing_of(user)
    found = {}
    for slug, protected in Environment.objects.values_list("slug", "protected"):
        matters = (Matter(c, slug, protected=protected) for c in (*Category, UNCATEGORISED))
        found[slug] = frozenset(
            str(matter.category)
            for matter in matters
            if rules.decide(standing, action, matter, role_names).allowed
        )
    return found


def seen_with(category: str) -> frozenset[str]:
    """The categories that exist for everybody who sees something of this one in the same environment."""
    everything = frozenset({UNCATEGORISED, *(c.value for c in Category)})
    if category == UNCATEGORISED:
        return everything
    rows = MatrixCell.objects.filter(level__gte=Level.REVIEW).values_list("role_id", "category")
    seeing: dict[str, set[str]] = {}
    for role, seen in rows:
        seeing.setdefault(seen, set()).add(role)
    mine = seeing.get(category, set())
    return frozenset(other for other, roles in seeing.items() if mine <= roles) | {category}


def roles(user: User, environment: str = "") -> frozenset[str]:
    """The slugs of the roles that this person holds now."""
    return frozenset(held.role for held in standing_of(user).held_in(environment))


def role_names() -> dict[str, str]:
    """Slug → name of every role and every named group of approvers."""
    named = ApproverGroup.objects.order_by().values_list("slug", "name")
    return dict(named.union(Role.objects.order_by().values_list("slug", "name")))


def held_roles(user: User) -> list[Role]:
    """The roles that this person holds everywhere now."""
    grants = RoleGrant.objects.in_force().filter(user=user).for_environment("")
    return list(Role.objects.filter(pk__in=grants.values("role")))


def reads_audit(held: Iterable[Role]) -> bool:
    """Whether one of these roles lets its holder read the audit log."""
    return any(role.reads_audit for role in held)
