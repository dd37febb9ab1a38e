"""Executions, and entries of the audit log, as records of a file: each part asks anew what its reader may see.

Who takes one along is an entry of the audit log.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, Max, OuterRef

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.audit.models import AuditEntry, Seal
from cvdops.executions import trail
from cvdops.executions.history import Wanted, matching, places
from cvdops.executions.models import Emergency
from cvdops.lib.errors import NotFound
from cvdops.lib.exports import Part, Read
from cvdops.lib.moments import rfc3339
from cvdops.lib.once import one_look

PART = 1000  # records that are read at once

# Column → where it stands.
_FIELDS = {
    "number": "number",
    "id": "id",
    "runbook": "runbook_id",
    "title": "runbook__title",
    "version": "version__number",
    "label": "version__label",
    "procedure": "procedure",
    "environment": "environment_id",
    "state": "state",
    "emergency": "is_emergency",
    "user": "requested_by__username",
    "name": "requested_by__name",
    "reason": "reason",
    "variables": "variables",
    "created_at": "created_at",
    "started_at": "started_at",
    "finished_at": "finished_at",
    "outcome": "outcome",
    "plan_digest": "plan_digest",
}
EXECUTION = (*_FIELDS, "seconds")
ENTRY = (
    *("number", "id", "at", "user", "name", "action", "subject", "subject_id", "answer"),
    *("address", "data", "hash"),
)


def executions(reader: User, wanted: Wanted, kind: str, asked: str) -> Read:
    """Reads what fits, oldest first, as `EXECUTION`; nothing more once the account is closed.

    `kind` of file, and as what it was `asked` for: both for the audit log.
    """
    record(reader, "execution.export", "executions", kind, data={"query": asked})

    def read(after: int) -> Part:
        # Asked again for each part: rights may end while a long file is read.
        user = User.objects.filter(pk=reader.pk, is_active=True).first()
        if user is None:
            raise NotFound("account")
        with one_look():
            found = matching(user, wanted, places(user, wanted.person)).filter(
                pk__gt=UUID(int=after)
            )
        emergency = Emergency.objects.filter(execution=OuterRef("pk"))
        rows = found.annotate(is_emergency=Exists(emergency)).order_by("id")
        part = list(rows.values_list(*_FIELDS.values())[:PART])
        records = [_said(dict(zip(_FIELDS, row, strict=True))) for row in part]
        return records, part[-1][1].int if part else after

    return read


def entries(reader: User, wanted: trail.Wanted, kind: str, asked: Mapping[str, str]) -> Read:
    """Reads what fits, oldest first, as `ENTRY`, but this export itself. Refused once the right has ended."""
    last = trail.matching(reader, wanted).aggregate(last=Max("pk"))["last"] or 0
    record(reader, "audit.export", "audit", kind, data=dict(asked))

    def read(after: int) -> Part:
        # Asked again for each part: rights may end while a long file is read.
        user = User.objects.get(pk=reader.pk)
        can(user, Action.READ_AUDIT).enforce()
        found = trail.matching(user, wanted).filter(pk__gt=after, pk__lte=last)
        part = list(found.order_by("pk")[:PART])
        seals = Seal.objects.in_bulk([one.pk for one in part], field_name="entry_id")
        return [_entry(one, seals.get(one.pk)) for one in part], part[-1].pk if part else after

    return read


def _entry(entry: AuditEntry, seal: Seal | None) -> dict[str, object]:
    return {
        "number": seal.pk if seal else None,
        "id": entry.pk,
        "at": rfc3339(entry.at),
        "user": entry.actor.username if entry.actor else None,
        "name": entry.actor.name if entry.actor else None,
        "action": entry.action,
        "subject": entry.subject,
        "subject_id": entry.subject_id,
        "answer": "done" if entry.allowed else "refused",
        "address": entry.address,
        "data": entry.data,
        "hash": bytes(seal.hash).hex() if seal else None,
    }


def _said(row: dict[str, object]) -> dict[str, object]:
    begun, ended = row["started_at"], row["finished_at"]
    took = None
    if isinstance(begun, datetime) and isinstance(ended, datetime):
        took = round((ended - begun).total_seconds(), 3)
    return {**{name: _text(value) for name, value in row.items()}, "seconds": took}


def _text(value: object) -> object:
    if isinstance(value, datetime):
        return rfc3339(value)
    return str(value) if isinstance(value, UUID) else value
