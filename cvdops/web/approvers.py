"""Who may decide on a request, and how many are still needed."""

from dataclasses import dataclass

from cvdops.access.models import Role, RoleGrant
from cvdops.approvals.models import ApprovalRequest
from cvdops.approvals.services import progress


@dataclass(frozen=True, slots=True)
class Group:
    """The roles of one group, the people who hold one of them now, and how many have to agree."""

    roles: tuple[str, ...]
    people: tuple[str, ...]
    required: int
    missing: int


def groups(request: ApprovalRequest) -> tuple[Group, ...]:
    """The groups of a request. Who asked for it is not among the people."""
    names = dict(Role.objects.values_list("slug", "name"))
    return tuple(
        Group(
            roles=tuple(names.get(role, role) for role in group["roles"]),  # type: ignore[attr-defined]
            people=_people(request, list(group["roles"])),  # type: ignore[call-overload]
            required=int(str(group["required"])),
            missing=missing,
        )
        for group, missing in progress(request)
    )


def _people(request: ApprovalRequest, roles: list[str]) -> tuple[str, ...]:
    grants = RoleGrant.objects.in_force().for_environment(request.environment)
    found = grants.filter(role__in=roles, user__is_active=True)
    others = found.exclude(user__person=request.requested_by.person)
    return tuple(others.order_by("user__name").values_list("user__name", flat=True).distinct())
