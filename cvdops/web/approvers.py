"""Who has to approve: before a start, what its plan asks for; at a request, who may and is still needed."""

from collections.abc import Collection
from dataclasses import dataclass

from cvdops.access.models import Role, RoleGrant
from cvdops.approvals.models import ApprovalRequest
from cvdops.approvals.services import progress
from cvdops.executions.plan import Plan


@dataclass(frozen=True, slots=True)
class Group:
    """The approvers of one group, the people who are one of them now, and how many have to agree."""

    approvers: tuple[str, ...]
    people: tuple[str, ...]
    required: int
    missing: int


@dataclass(frozen=True, slots=True)
class Needed:
    """An approval that a plan needs, as the launch page says it."""

    title: str
    groups: tuple[tuple[int, tuple[str, ...]], ...]  # so many of these approvers
    expires: float  # seconds
    why: tuple[str, ...]  # the policies that ask for it; none for a gate of the document


def needed(plan: Plan) -> tuple[Needed, ...]:
    """The approvals on the way forward, in their order."""
    gates = [step for step in plan.forward if step.id in plan.gates]
    names = dict(Role.objects.values_list("slug", "name")) if gates else {}
    return tuple(
        Needed(
            title=step.title,
            groups=tuple(
                (group.required, tuple(names.get(name, name) for name in group.approvers))
                for group in plan.gates[step.id].groups
            ),
            expires=plan.gates[step.id].expires,
            why=plan.gates[step.id].policies,
        )
        for step in gates
    )


def groups(request: ApprovalRequest) -> tuple[Group, ...]:
    """The groups of a request. Who asked for it is not among the people."""
    names = dict(Role.objects.values_list("slug", "name"))
    return tuple(
        Group(
            approvers=tuple(names.get(name, name) for name in group.approvers),
            people=_people(request, group.approvers),
            required=group.required,
            missing=missing,
        )
        for group, missing in progress(request)
    )


def _people(request: ApprovalRequest, approvers: Collection[str]) -> tuple[str, ...]:
    grants = RoleGrant.objects.in_force().for_environment(request.environment)
    found = grants.filter(role__in=approvers, user__is_active=True)
    others = found.exclude(user__person=request.requested_by.person)
    return tuple(others.order_by("user__name").values_list("user__name", flat=True).distinct())
