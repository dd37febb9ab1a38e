"""Who answers for the names of approvers, roles and named groups, and who decides on behalf of whom."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from cvdops.access.models import ApproverGroup, Delegation, RoleGrant
from cvdops.accounts.models import User
from cvdops.lib.together import Read, Wanted


def names(
    users: Collection[int], environment: str, at: datetime | None = None
) -> dict[int, frozenset[str]]:
    """By user, the names that each one answers for in an environment."""
    found: dict[int, set[str]] = {}
    known = tuple(sorted(set(users)))
    for user, name in (*roles(known, environment, at), *groups(known)):
        found.setdefault(user, set()).add(name)
    return {user: frozenset(named) for user, named in found.items()}


def reads(users: Collection[int], environment: str) -> tuple[Wanted, ...]:
    """What `names` and `receivers` read of them, for a page that reads more together with it."""
    known = tuple(sorted(set(users)))
    return roles.of(known, environment, None), groups.of(known), receivers.of(known)


@Read
def roles(
    users: tuple[int, ...], environment: str, at: datetime | None
) -> QuerySet[RoleGrant, tuple[int, str]]:
    """User and role: what those of them who are active hold there."""
    grants = RoleGrant.objects.in_force(at).for_environment(environment)
    return grants.filter(user__in=users, user__is_active=True).values_list("user", "role_id")


@Read
def groups(users: tuple[int, ...]) -> QuerySet[Any, tuple[int, str]]:
    """User and named group: where those of them who are active are members."""
    members = ApproverGroup.members.through.objects.filter(user__in=users, user__is_active=True)
    return members.values_list("user_id", "approvergroup_id")


@Read
def people(approvers: tuple[str, ...], environment: str) -> QuerySet[User]:
    """The active people who answer for one of these names now, by name."""
    grants = RoleGrant.objects.in_force().for_environment(environment).filter(role__in=approvers)
    in_groups = Q(approver_groups__in=approvers)
    found = User.objects.filter(Q(pk__in=grants.values("user")) | in_groups, is_active=True)
    return found.order_by("name", "pk").distinct()


@Read
def receivers(givers: tuple[int, ...]) -> QuerySet[Delegation]:
    """What these people have delegated now."""
    found = Delegation.objects.in_force().filter(giver__in=givers)
    return found.select_related("giver", "receiver")


@Read
def delegates(approvers: tuple[str, ...], environment: str) -> QuerySet[Delegation]:
    """What the people who answer for one of these names have delegated now."""
    givers = people.ask(approvers, environment).order_by().values("pk")
    found = Delegation.objects.in_force().filter(giver__in=givers)
    return found.select_related("giver", "receiver")
