"""Who answers for the names of approvers, roles and named groups, and who decides on behalf of whom."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q

from cvdops.access.models import ApproverGroup, Delegation, RoleGrant
from cvdops.accounts.models import User


def names(
    users: Collection[int], environment: str, at: datetime | None = None
) -> dict[int, frozenset[str]]:
    """By user, the names that each one answers for in an environment."""
    found: dict[int, set[str]] = {}
    grants = RoleGrant.objects.in_force(at).for_environment(environment)
    held = grants.filter(user__in=users, user__is_active=True)
    for user, role in held.values_list("user", "role_id"):
        found.setdefault(user, set()).add(role)
    members = ApproverGroup.members.through.objects.filter(user__in=users, user__is_active=True)
    for user, group in members.values_list("user_id", "approvergroup_id"):
        found.setdefault(user, set()).add(group)
    return {user: frozenset(named) for user, named in found.items()}


def people(approvers: Collection[str], environment: str) -> list[User]:
    """The active people who answer for one of these names now, by name."""
    grants = RoleGrant.objects.in_force().for_environment(environment).filter(role__in=approvers)
    in_groups = Q(approver_groups__in=approvers)
    found = User.objects.filter(Q(pk__in=grants.values("user")) | in_groups, is_active=True)
    return list(found.order_by("name", "pk").distinct())


def receivers(givers: Collection[int]) -> list[Delegation]:
    """What these people have delegated now."""
    return list(
        Delegation.objects.in_force().filter(giver__in=givers).select_related("giver", "receiver")
    )
