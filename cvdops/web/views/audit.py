"""The audit log as a list, and as a file."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.audit import witness
from cvdops.audit.models import AuditEntry
from cvdops.executions import records
from cvdops.executions.trail import Wanted, matching
from cvdops.lib.errors import NotFound
from cvdops.lib.exports import FORMATS, Read, export
from cvdops.lib.moments import midnight
from cvdops.web.forms import AuditFilter

PAGE = 50


@requires(Action.READ_AUDIT)
def audit(request: HttpRequest) -> HttpResponse:
    form = AuditFilter(request.GET)
    wanted = form.values()
    found = list(_entries(person(request), wanted).order_by("-id")[: PAGE + 1])
    context = {
        "form": form,
        "left_out": form.left_out(),
        "entries": found[:PAGE],
        "older": found[PAGE - 1].pk if len(found) > PAGE else None,
        "first": "before" not in wanted,
        "filtered": bool(set(wanted) - {"before"} or form.errors),
        "chain": witness.standing(),
    }
    return render(request, "audit.html", context)


@requires(Action.READ_AUDIT)
def audit_export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """What fits the filters, oldest first."""
    if kind not in FORMATS:
        raise NotFound
    read = _prepared(request, kind)
    return export(f"audit-{timezone.now():%Y-%m-%d}", kind, records.ENTRY, read)


def _prepared(request: HttpRequest, kind: str) -> Read:
    form = AuditFilter(request.GET)
    wanted = form.values()
    form.enforce()
    asked = {name: str(value) for name, value in wanted.items()}
    return records.entries(person(request), _wanted(wanted), kind, asked)


def _entries(user: User, typed: Mapping[str, Any]) -> QuerySet[AuditEntry]:
    found, before = matching(user, _wanted(typed)), typed.get("before")
    return found.filter(pk__lt=before) if before else found


def _wanted(typed: Mapping[str, Any]) -> Wanted:
    since, until, answer = typed.get("since"), typed.get("until"), typed.get("allowed")
    return Wanted(
        **{name: typed.get(name, "") for name in ("action", "person", "subject", "address")},
        allowed=answer == "yes" if answer else None,
        since=midnight(since, 0) if since else None,
        until=midnight(until, 1) if until else None,
    )
