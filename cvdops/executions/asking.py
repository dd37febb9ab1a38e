"""Approval requests with what tells them apart: their execution's number and place, an emergency's mark."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Value
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Coalesce

from cvdops.approvals.models import ApprovalRequest
from cvdops.environments.models import Environment
from cvdops.executions.models import Execution
from cvdops.lib.together import Fixed


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and of its execution: number, environment, reason, whether an emergency was declared.

    `priority` is that of the emergency; empty for none, and for what an emergency has started.
    """

    request: ApprovalRequest
    number: int
    environment: Environment
    reason: str
    emergency: bool
    priority: str

    @property
    def called(self) -> str:
        """Its name in a sentence."""
        return f"{self.request.title} (#{self.number})"

    @property
    def mark(self) -> str:
        """What a sentence about it begins with."""
        if not self.emergency:
            return ""
        return f"Emergency {self.priority}: " if self.priority else "Emergency: "


def asked(requests: Iterable[ApprovalRequest]) -> list[Asked]:
    """The requests in their order. One query."""
    found = list(requests)
    if not found:
        return []
    ids = dict.fromkeys(request.execution_id for request in found)
    known = {
        e.pk: (e.number, e.environment, e.reason, bool(e.as_emergency), e.priority)
        for e in _executions(tuple(ids))
    }
    return [Asked(request, *known[request.execution_id]) for request in found]


@Fixed
def _executions(ids: tuple[UUID, ...]) -> QuerySet[Any]:
    found = (
        Execution.objects.filter(pk__in=ids)
        .select_related("environment")
        .annotate(
            as_emergency=KeyTransform("emergency", "plan"),
            priority=Coalesce("emergency__priority", Value("")),
        )
    )
    return found.only("number", "reason", "environment__slug", "environment__protected")
