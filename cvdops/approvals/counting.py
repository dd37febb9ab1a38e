"""Which approvals of a request count as things stand now, and how many are still missing."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from cvdops.access import approvers
from cvdops.approvals.groups import Group, from_json, missing
from cvdops.approvals.models import ApprovalRequest, Decision
from cvdops.lib.together import Read


def progress(request: ApprovalRequest, involved: Collection[UUID] = ()) -> list[tuple[Group, int]]:
    """For each group: how many persons are still missing. Only who still has the right counts."""
    groups = from_json(request.groups)
    names = [counting.names for counting in counted(request) if counting.counts(involved)]
    return list(zip(groups, missing(groups, names), strict=True))


@dataclass(frozen=True, slots=True)
class Counted:
    """An approval as it stands now."""

    decision: Decision
    names: frozenset[str]  # of approvers: those that it may stand for; none if the right is gone
    groups: tuple[Group, ...]

    def counts(self, involved: Collection[UUID]) -> bool:
        """Whether it fills a place in any group, given who may not decide there."""
        return self.has_right and not self.parties & set(involved)

    @property
    def has_right(self) -> bool:
        return any(self.names & set(group.approvers) for group in self.groups)

    @property
    def parties(self) -> frozenset[UUID]:
        """The person who spoke, and the one for whom."""
        other = self.decision.on_behalf_of
        return frozenset({self.decision.person, other.person if other else self.decision.person})


@Read
def approving(request_id: UUID) -> QuerySet[Decision]:
    """The approvals, as they were given."""
    found = Decision.objects.filter(request=request_id, verdict=Decision.Verdict.APPROVE)
    return found.select_related("user", "on_behalf_of").order_by("at")


def counted(request: ApprovalRequest) -> list[Counted]:
    """The approvals of a request, oldest first, one for each person whose word it is."""
    decisions = approving(request.pk)
    spoken = {decision.pk: decision.on_behalf_of or decision.user for decision in decisions}
    names = approvers.names([user.pk for user in spoken.values()], request.environment)
    delegated = {(d.giver_id, d.receiver_id) for d in approvers.receivers(tuple(sorted(names)))}
    groups = from_json(request.groups)
    found: dict[UUID, Counted] = {}
    for decision in decisions:
        whose = spoken[decision.pk]
        lapsed = whose != decision.user and (whose.pk, decision.user_id) not in delegated
        mine = frozenset() if lapsed else names.get(whose.pk, frozenset())
        found.setdefault(whose.person, Counted(decision, mine, groups))
    return list(found.values())
