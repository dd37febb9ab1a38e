"""The audit log."""

from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Literal

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from ninja import Query, Router, Schema

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.asking import Asked, Listed, Moment, Text, first, number, told
from cvdops.api.files import FILE, Format
from cvdops.audit import witness
from cvdops.audit.models import AuditEntry, Seal
from cvdops.executions import records, trail
from cvdops.lib.exports import export
from cvdops.lib.moments import rfc3339

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


class EntryFilters(Asked):
    """`action`: how it begins; `subject`: a kind of thing, or the id of one; `address`: from where."""

    action: Text = ""
    user: Text = ""
    subject: Text = ""
    address: Annotated[Literal[""] | IPv4Address | IPv6Address, told("This is no IP address.")] = ""
    allowed: bool | None = None
    since: Moment | None = None
    until: Moment | None = None

    def wanted(self) -> trail.Wanted:
        """What is looked for."""
        given = {name: getattr(self, name) for name in EntryFilters.model_fields}
        given["person"], given["address"] = given.pop("user"), str(self.address)
        return trail.Wanted(**given)

    def asked(self) -> dict[str, str]:
        """The same for the log itself."""
        given = {name: getattr(self, name) for name in EntryFilters.model_fields}
        return {
            name: rfc3339(value) if isinstance(value, datetime) else str(value)
            for name, value in given.items()
            if value not in ("", None)
        }


class Wanted(EntryFilters, Listed):
    """The filters of the log."""


class Chain(Schema):
    """The running check of the chain. With a `problem`, `manage.py verify_audit` says what is wrong where."""

    problem: str
    whole_number: int
    whole_at: datetime | None
    looked_at: datetime | None
    noted_at: datetime | None
    outside: str


@router.get("/audit", response=Entries, url_name="api-audit")
@requires(Action.READ_AUDIT)
def audit(request: HttpRequest, wanted: Query[Wanted]) -> Entries:
    """The entries that you may see, newest first."""
    found = trail.matching(person(request), wanted.wanted()).order_by("-id")
    if wanted.cursor:
        found = found.filter(pk__lt=number(wanted.cursor))
    page, following = first(found)
    seals = Seal.objects.in_bulk([one.pk for one in page], field_name="entry_id")
    items = [Entry.of(one, seals.get(one.pk)) for one in page]
    return Entries(items=items, next_cursor=following)


@router.get("/audit/export/{file_kind}", url_name="api-audit-export", openapi_extra=FILE)
@requires(Action.READ_AUDIT)
def file(request: HttpRequest, file_kind: Format, wanted: Query[EntryFilters]) -> HttpResponseBase:
    """All entries that fit, oldest first, with their hashes, as a file. It keeps an entry of it, too."""
    read = records.entries(person(request), wanted.wanted(), file_kind, wanted.asked())
    return export(f"audit-{timezone.now():%Y-%m-%d}", file_kind, records.ENTRY, read)


@router.get("/audit/chain", response=Chain, url_name="api-audit-chain")
@requires(Action.READ_AUDIT)
def chain(request: HttpRequest) -> Chain:
    """Whether the entries are as they were written, as far as workers have checked."""
    found = witness.standing()
    return Chain(
        problem=found.problem,
        whole_number=found.whole_number,
        whole_at=found.whole_at,
        looked_at=found.looked_at,
        noted_at=found.noted_at,
        outside=found.outside,
    )
