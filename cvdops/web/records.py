"""Executions as the records of a file, read in parts: each part asks anew what its reader may see."""

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from cvdops.accounts.models import User
from cvdops.executions.history import Wanted, matching, places
from cvdops.executions.models import Emergency
from cvdops.lib.errors import NotFound
from cvdops.lib.once import one_look
from cvdops.web.exports import Part, Read

PART = 1000  # executions that are read at once

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
COLUMNS = (*_FIELDS, "seconds")


def reader(account: int, wanted: Wanted) -> Read:
    """Reads what fits, oldest first; nothing more once the account is closed."""

    def read(after: int) -> Part:
        # Asked again for each part: rights may end while a long file is read.
        user = User.objects.filter(pk=account, is_active=True).first()
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


def _said(row: dict[str, object]) -> dict[str, object]:
    begun, ended = row["started_at"], row["finished_at"]
    took = None
    if isinstance(begun, datetime) and isinstance(ended, datetime):
        took = round((ended - begun).total_seconds(), 3)
    return {**{name: _text(value) for name, value in row.items()}, "seconds": took}


def _text(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, UUID) else value
