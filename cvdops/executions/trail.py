"""The audit log as one person may read it: nothing in it is about runbooks that do not exist for them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField, Q, QuerySet
from django.db.models.functions import Cast, Substr

from cvdops.access.levels import Level
from cvdops.access.policy import UNCATEGORISED, in_sight, levels, readable_categories
from cvdops.accounts.models import User
from cvdops.approvals.models import ApprovalRequest
from cvdops.audit.models import AuditEntry
from cvdops.catalog.models import Runbook
from cvdops.executions.models import Execution

_ID = 36  # characters of an id in an address


def entries(user: User) -> QuerySet[AuditEntry]:
    """The entries that exist for this person."""
    found = AuditEntry.objects.select_related("actor")
    if min(levels(user).values()) >= Level.REVIEW:  # all categories, everywhere
        return found
    seen = readable_categories(user)
    runbooks = list(Runbook.objects.exclude(category__in=seen).values_list("pk", flat=True))
    executions = _ids(Execution.objects.exclude(in_sight(user, "runbook__category", "environment")))
    requests = _ids(ApprovalRequest.objects.exclude(in_sight(user, "category", "environment")))
    found = found.annotate(
        asked_execution=Substr("subject_id", len("/executions/") + 1, _ID),
        asked_request=Substr("subject_id", len("/approvals/") + 1, _ID),
    )
    of_it = (
        Q(subject__in=("execution", "emergency"), subject_id__in=executions)
        | Q(subject="approval", subject_id__in=requests)
        | Q(subject="runbook", subject_id__in=runbooks)
        | Q(subject="hold", data__what__in=runbooks)
    )
    if UNCATEGORISED not in seen:
        of_it |= Q(subject="catalog")  # names the files that were read
    page = (
        Q(subject_id__startswith="/executions/", asked_execution__in=executions)
        | Q(subject_id__startswith="/approvals/", asked_request__in=requests)
        | _addresses(runbooks)
    )
    return found.exclude(of_it).exclude(page & Q(subject="page"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for; empty: anything. `action` is how it begins, `subject` a kind or an id."""

    action: str = ""
    person: str = ""  # a user name
    subject: str = ""
    address: str = ""
    allowed: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


def matching(user: User, wanted: Wanted) -> QuerySet[AuditEntry]:
    """Those of the entries that fit."""
    found = entries(user)
    if wanted.action:
        found = found.filter(action__startswith=wanted.action)
    if wanted.person:
        found = found.filter(actor__username=wanted.person)
    if wanted.subject:
        found = found.filter(Q(subject=wanted.subject) | Q(subject_id=wanted.subject))
    if wanted.allowed is not None:
        found = found.filter(allowed=wanted.allowed)
    if wanted.address:
        found = found.filter(address=wanted.address)
    if wanted.since:
        found = found.filter(at__gte=wanted.since)
    if wanted.until:
        found = found.filter(at__lt=wanted.until)
    return found


def _addresses(runbooks: list[str]) -> Q:
    """The pages of these runbooks."""
    found = Q(pk__in=[])
    for runbook in runbooks:
        found |= Q(subject_id__startswith=f"/runbooks/{runbook}/")
    return found


def _ids(found: QuerySet[Execution] | QuerySet[ApprovalRequest]) -> QuerySet[Any, Any]:
    return found.order_by().annotate(text=Cast("pk", CharField())).values_list("text", flat=True)
