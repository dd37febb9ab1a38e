"""For whom a person answers at a gate: the roles that they hold now in its environment."""

from collections.abc import Collection

from cvdops.access.models import RoleGrant


def names(users: Collection[int], environment: str) -> dict[int, frozenset[str]]:
    """By user, the names of approvers that each one answers for now."""
    grants = RoleGrant.objects.in_force().for_environment(environment)
    found: dict[int, frozenset[str]] = {}
    held = grants.filter(user__in=users, user__is_active=True)
    for user, role in held.values_list("user", "role_id"):
        found[user] = found.get(user, frozenset()) | {role}
    return found
