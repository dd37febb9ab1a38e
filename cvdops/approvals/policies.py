"""Approval policies: who has to approve a start, by environment and category."""

from django.db.models import QuerySet

from cvdops.approvals.groups import Demand, from_json
from cvdops.approvals.models import ApprovalPolicy, Condition
from cvdops.lib.together import Fixed


def demands(
    environment: str, category: str, *, changing: bool, restoring: bool, emergency: bool
) -> list[Demand]:
    """What the policies ask of a start here.

    In an emergency the policies for emergencies hold instead of the others: those are asked who can be
    reached then. Where an environment has none for it, the others hold.
    """
    found = policies(environment, category)
    sharp = [p for p in found if p.condition == Condition.EMERGENCY and p.groups]
    holds = {
        Condition.ALWAYS: True,
        Condition.CHANGING: changing,
        Condition.RESTORE: restoring,
        Condition.EMERGENCY: False,
    }
    usual = [p for p in found if holds[Condition(p.condition)] and p.groups]
    return [demand_of(policy) for policy in (sharp if emergency and sharp else usual)]


@Fixed
def policies(environment: str, category: str) -> QuerySet[ApprovalPolicy]:
    """All that could ask for something of a start of this category there."""
    return ApprovalPolicy.objects.filter(environment=environment, category__in=[category, ""])


def demand_of(policy: ApprovalPolicy) -> Demand:
    """What one policy asks for."""
    return Demand(
        groups=from_json(policy.groups),
        expires=float(policy.expires),
        reason_required=policy.reason_required,
        policies=(f"{policy} (version {policy.version})",),
    )
