"""The audit log as a list, and as a file."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.audit import witness
from cvdops.audit.log import record
from cvdops.audit.models import AuditEntry, Seal
from cvdops.executions.trail import Wanted, matching
from cvdops.lib.errors import Invalid, NotFound, Problem
from cvdops.web.exports import FORMATS, Part, Read, export
from cvdops.web.forms import AuditFilter, midnight

PAGE = 50
PART = 1000  # entries that an export reads at once
COLUMNS = (
    *("number", "id", "at", "user", "name", "action", "subject", "subject_id", "answer"),
    *("address", "data", "hash"),
)


@requires(Action.READ_AUDIT)
def audit(request: HttpRequest) -> HttpResponse:
    form = AuditFilter(request.GET)
    wanted = form.values()
    found = list(_entries(person(request), wanted).order_by("-id")[: PAGE + 1])
    context = {
        "form": form,
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
    return export(f"audit-{timezone.now():%Y-%m-%d}", kind, COLUMNS, read)


def _prepared(request: HttpRequest, kind: str) -> Read:
    user, form = person(request), AuditFilter(request.GET)
    wanted = form.values()
    if form.errors:  # a file does not show that something was left out of what was asked for
        raise Invalid([Problem(name, str(texts[0])) for name, texts in form.errors.items()])
    # An entry of this export is not part of it.
    last = _entries(user, wanted).aggregate(last=Max("pk"))["last"] or 0
    told = {name: str(value) for name, value in wanted.items()}
    record(user, "audit.export", "audit", kind, data=told)

    def read(after: int) -> Part:
        # Asked again for each part: rights may end while a long file is read.
        can(User.objects.get(pk=user.pk), Action.READ_AUDIT).enforce()
        found = _entries(user, wanted)
        part = list(found.filter(pk__gt=after, pk__lte=last).order_by("pk")[:PART])
        seals = Seal.objects.in_bulk([one.pk for one in part], field_name="entry_id")
        return [_said(one, seals) for one in part], part[-1].pk if part else after

    return read


def _said(entry: AuditEntry, seals: Mapping[int, Seal]) -> dict[str, object]:
    seal = seals.get(entry.pk)
    return {
        "number": seal.pk if seal else None,
        "id": entry.pk,
        "at": entry.at.isoformat().replace("+00:00", "Z"),
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


def _entries(user: User, wanted: Mapping[str, Any]) -> QuerySet[AuditEntry]:
    since, until, answer = wanted.get("since"), wanted.get("until"), wanted.get("allowed")
    found = matching(
        user,
        Wanted(
            **{name: wanted.get(name, "") for name in ("action", "person", "subject", "address")},
            allowed=answer == "yes" if answer else None,
            since=midnight(since, 0) if since else None,
            until=midnight(until, 1) if until else None,
        ),
    )
    before = wanted.get("before")
    return found.filter(pk__lt=before) if before else found
