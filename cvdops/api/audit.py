"""The audit log."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Query, Router, Schema

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.asking import Listed, Moment, first, number
from cvdops.audit.models import AuditEntry
from cvdops.executions.trail import entries

router = Router(tags=["audit"])


class Entry(Schema):
    """One thing that somebody did, or was refused (`allowed` is false)."""

    id: int
    at: datetime
    user: str | None
    action: str
    subject: str
    subject_id: str
    allowed: bool
    address: str | None
    data: dict[str, object]

    @classmethod
    def of(cls, entry: AuditEntry) -> "Entry":
        return cls(
            id=entry.pk,
            at=entry.at,
            user=entry.actor.username if entry.actor else None,
            action=entry.action,
            subject=entry.subject,
            subject_id=entry.subject_id,
            allowed=entry.allowed,
            address=entry.address,
            data=entry.data,
        )


class Entries(Schema):
    items: list[Entry]
    next_cursor: str


class Wanted(Listed):
    since: Moment | None = None


@router.get("/audit", response=Entries, url_name="api-audit")
@requires(Action.READ_AUDIT)
def audit(request: HttpRequest, wanted: Query[Wanted]) -> Entries:
    """The entries that you may see, newest first."""
    found = entries(person(request)).order_by("-id")
    if wanted.since:
        found = found.filter(at__gte=wanted.since)
    if wanted.cursor:
        found = found.filter(pk__lt=number(wanted.cursor))
    page, following = first(found)
    return Entries(items=[Entry.of(one) for one in page], next_cursor=following)
