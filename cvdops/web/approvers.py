"""Who has to approve: before a start, what its plan asks for; at a request, who may and is still needed."""

from dataclasses import dataclass

from cvdops.access.policy import role_names
from cvdops.approvals.models import ApprovalRequest
from cvdops.executions import deciders
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
    names = role_names() if gates else {}
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
    """The groups of a request. Who has a part in the execution is not among the people."""
    names = role_names()
    return tuple(
        Group(
            approvers=tuple(names.get(name, name) for name in group.approvers),
            people=deciders.people(request, group.approvers),
            required=group.required,
            missing=missing,
        )
        for group, missing in deciders.progress(request)
    )
