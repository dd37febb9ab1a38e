"""Approval requests with what tells them apart: their execution's number and place, an emergency's mark."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models.fields.json import KeyTransform

from cvdops.approvals.models import ApprovalRequest
from cvdops.environments.models import Environment
from cvdops.executions.models import Execution


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and of its execution: number, environment, reason, whether an emergency was declared."""

    request: ApprovalRequest
    number: int
    environment: Environment
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
    rows = rows.select_related("environment").annotate(
        as_emergency=KeyTransform("emergency", "plan")
    )
    shown = rows.only("number", "reason", "environment__slug", "environment__protected")
    known = {e.pk: (e.number, e.environment, e.reason, bool(e.as_emergency)) for e in shown}
    return [Asked(request, *known[request.execution_id]) for request in found]
