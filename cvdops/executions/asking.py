"""Approval requests with what tells them apart: the number of their execution, and an emergency's mark."""

from collections.abc import Iterable
from dataclasses import dataclass

from cvdops.approvals.models import ApprovalRequest
from cvdops.executions.models import Execution


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and of its execution: the number, why somebody runs it, whether an emergency was declared."""

    request: ApprovalRequest
    number: int
    reason: str
    emergency: bool

    @property
    def called(self) -> str:
        """Its name in a sentence."""
        return f"{self.request.title} (#{self.number})"

    @property
    def mark(self) -> str:
        """What a sentence about it begins with."""
        return "Emergency: " if self.emergency else ""


def asked(requests: Iterable[ApprovalRequest]) -> list[Asked]:
    """The requests in their order. One query."""
    found = list(requests)
    if not found:
        return []
    rows = Execution.objects.filter(pk__in={request.execution_id for request in found})
    known = {
        pk: (number, reason, bool(emergency))
        for pk, number, reason, emergency in rows.values_list(
            "pk", "number", "reason", "plan__emergency"
        )
    }
    return [Asked(request, *known[request.execution_id]) for request in found]
