"""The one place that is asked who may do what. Pages, API and commands ask it, and it explains itself.

The answers are those of `access.rules`, for the person as they stand now or at another time.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import reduce
from operator import or_

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Q, QuerySet

from cvdops.access import rules
from cvdops.access.certification import Certificate, Stage
from cvdops.access.levels import Level
from cvdops.access.models import ApproverGroup, Delegation, MatrixCell, Role
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
from cvdops.lib.once import once
from cvdops.lib.statements import cursor
from cvdops.lib.together import Fixed
from cvdops.spec.document import Category

__all__ = ["ALLOWED", "NEEDED", "UNCATEGORISED", "Action", "Decision", "Gate", "Matter", "Subject"]


# Environment → the categories of which somebody sees what was run there; the empty one: everywhere.
Sight = tuple[tuple[str, frozenset[str]], ...]


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


@once
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
    return _standing(user, at)


@once
def _standing(user: User, at: datetime | None) -> Standing:
    if not user.is_active:
        return Standing(user.person, active=False)
    with cursor() as asking:
        asking.execute(_STANDING, {"user": user.pk, "at": at})
        rows = asking.fetchall()
    return Standing(
        user.person,
        active=True,
        held=tuple(
            Held(
                role,
                {
                    category: Level(level)
                    for category, level in zip(categories, levels, strict=True)
                },
                environment or "",
                *flags,
            )
            for _, _, role, environment, categories, levels, *flags in rows
        ),
        # Who was never certified stands on the first rung.
        certificate=Certificate(Stage(rows[0][0]), rows[0][1])
        if rows and rows[0][0] is not None
        else Certificate(),
    )


# In SQL, because every page, call and stream asks it: to build it anew from parts took longer than to ask it.
_STANDING = """
    WITH moment AS (SELECT coalesce(%(at)s::timestamptz, statement_timestamp()) AS at)
    SELECT k.stage, CASE WHEN k.expires_at <= moment.at THEN k.expires_at END,
           r.slug, g.environment_id,
           ARRAY(SELECT category FROM access_matrixcell WHERE role_id = r.slug ORDER BY category),
           ARRAY(SELECT level FROM access_matrixcell WHERE role_id = r.slug ORDER BY category),
           r.leads, r.reads_audit, r.administers, r.name
      FROM moment CROSS JOIN access_rolegrant g JOIN access_role r ON r.slug = g.role_id
           LEFT JOIN LATERAL (
             SELECT c.stage, c.expires_at FROM access_certification c
              WHERE c.user_id = g.user_id AND c.granted_at <= moment.at ORDER BY c.id DESC LIMIT 1
           ) k ON true
     WHERE g.user_id = %(user)s
       AND (g.starts_at IS NULL OR g.starts_at <= moment.at)
       AND (g.ends_at IS NULL OR g.ends_at > moment.at)
     ORDER BY r."order", g.id
"""


def readable_categories(user: User) -> frozenset[str]:
    """The categories whose documents exist for this person, in any environment; the empty one: see `rules`."""
    return rules.readable(standing_of(user))


def sees(user: User, category: str, environment: str) -> bool:
    """Whether this person may read what was run there of a runbook of this category."""
    return category in rules.seen(standing_of(user), environment)


def sight(user: User) -> Sight:
    """Where this person may read what was run, of which categories: everywhere, and in environments."""
    standing = standing_of(user)
    places = ["", *sorted({held.environment for held in standing.held} - {""})]
    return tuple((place, rules.seen(standing, place)) for place in places)


def within(sight: Sight, category: str, environment: str) -> Q:
    """The same as a condition of a query; the names are those of its two fields.

    A role that holds in one environment shows those of that one.
    """
    return reduce(
        or_,
        (
            Q(**{f"{category}__in": seen, **({environment: place} if place else {})})
            for place, seen in sight
        ),
    )


def in_sight(user: User, category: str, environment: str) -> Q:
    """The same of this person."""
    return within(sight(user), category, environment)


def sees_something(user: User, environment: str) -> bool:
    """Whether this person may read anything of what is run there."""
    return bool(rules.seen(standing_of(user), environment))


@once
def where(user: User, action: Action) -> dict[str, frozenset[str]]:
    """Environment → the categories on which this person may do this there, whichever runbook of them it is."""
    standing = standing_of(user)
    found = {}
    for slug, protected in environments():
        matters = (Matter(c, slug, protected=protected) for c in (*Category, UNCATEGORISED))
        found[slug] = frozenset(
            str(matter.category)
            for matter in matters
            if rules.decide(standing, action, matter, role_names).allowed
        )
    return found


@Fixed
def environments() -> QuerySet[Environment, tuple[str, bool]]:
    """The slug of each, and whether it is a protected one, in their order."""
    return Environment.objects.order_by("order", "slug").values_list("slug", "protected")


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
    return dict(named())


@Fixed
def named() -> QuerySet[ApproverGroup, tuple[str, str]]:
    """Slug and name of each of them."""
    groups = ApproverGroup.objects.order_by().values_list("slug", "name")
    return groups.union(Role.objects.order_by().values_list("slug", "name"))
