"""Notices as they exist for their reader: rights may have ended since somebody was told."""

import re
from collections.abc import Iterable, Sequence
from uuid import UUID

from cvdops.access.catalog import visible_runbooks
from cvdops.accounts.models import User
from cvdops.approvals.queries import visible
from cvdops.executions.queries import visible_to
from cvdops.notifications.models import Notice

_PAGE = re.compile(r"\A/(executions|approvals|runbooks)/([a-z0-9-]+)/")


def known(user: User, notices: Sequence[Notice]) -> list[Notice]:
    """Those whose page is about something that exists for this person."""
    about = [_page(notice) for notice in notices]
    named: dict[str, set[str]] = {}
    for page in about:
        if page:
            named.setdefault(page[0], set()).add(page[1])
    seen = {(kind, pk) for kind, ids in named.items() for pk in _seen(user, kind, ids)}
    return [notice for notice, page in zip(notices, about, strict=True) if not page or page in seen]


def _page(notice: Notice) -> tuple[str, str] | None:
    match = _PAGE.match(notice.path)
    return (match[1], match[2]) if match else None


def _seen(user: User, kind: str, ids: set[str]) -> Iterable[str]:
    if kind == "runbooks":
        return visible_runbooks(user).filter(pk__in=ids).values_list("pk", flat=True)
    rows = visible_to(user) if kind == "executions" else visible(user)
    found = rows.filter(pk__in=[UUID(pk) for pk in ids]).values_list("pk", flat=True)
    return [str(pk) for pk in found]
