"""The audit log."""

from datetime import datetime
from typing import Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import IPvAnyAddress

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.asking import Listed, Moment, first, number
from cvdops.audit.models import AuditEntry, Seal
from cvdops.executions import trail

router = Router(tags=["audit"])


class Entry(Schema):
    """One thing that somebody did, or was refused (`allowed` is false).

    `number` and `hash` are its place in the chain and the hash there; null until it is sealed, a moment later.
    """

    id: int
    at: datetime
    user: str | None
    action: str
    subject: str
    subject_id: str
    allowed: bool
    address: str | None
    data: dict[str, object]
    number: int | None
    hash: str | None

    @classmethod
    def of(cls, entry: AuditEntry, seal: Seal | None) -> "Entry":
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
            number=seal.pk if seal else None,
            hash=bytes(seal.hash).hex() if seal else None,
        )


class Entries(Schema):
    items: list[Entry]
    next_cursor: str


class Wanted(Listed):
    """`action`: how it begins; `subject`: a kind of thing, or the id of one; `address`: from where."""

    action: str = ""
    user: str = ""
    subject: str = ""
    address: Literal[""] | IPvAnyAddress = ""
    allowed: bool | None = None
    since: Moment | None = None
    until: Moment | None = None


@router.get("/audit", response=Entries, url_name="api-audit")
@requires(Action.READ_AUDIT)
def audit(request: HttpRequest, wanted: Query[Wanted]) -> Entries:
    """The entries that you may see, newest first."""
    asked = trail.Wanted(
        **wanted.dict(include={"action", "subject", "allowed", "since", "until"}),
        person=wanted.user,
        address=str(wanted.address),
    )
    found = trail.matching(person(request), asked).order_by("-id")
    if wanted.cursor:
        found = found.filter(pk__lt=number(wanted.cursor))
    page, following = first(found)
    seals = Seal.objects.in_bulk([one.pk for one in page], field_name="entry_id")
    items = [Entry.of(one, seals.get(one.pk)) for one in page]
    return Entries(items=items, next_cursor=following)
