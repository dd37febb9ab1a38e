"""The audit log as a list."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cvdops.access.policy import Action
from cvdops.audit.models import AuditEntry
from cvdops.web.access import requires
from cvdops.web.forms import AuditFilter
from cvdops.web.views.history import midnight

PAGE = 50


@requires(Action.READ_AUDIT)
def audit(request: HttpRequest) -> HttpResponse:
    form = AuditFilter(request.GET)
    wanted = form.values()
    found = list(_entries(wanted)[: PAGE + 1])
    context = {
        "form": form,
        "entries": found[:PAGE],
        "older": found[PAGE - 1].pk if len(found) > PAGE else None,
        "first": "before" not in wanted,
        "filtered": bool(set(wanted) - {"before"}),
    }
    return render(request, "audit.html", context)


def _entries(wanted: dict[str, Any]) -> QuerySet[AuditEntry]:
    found = AuditEntry.objects.select_related("actor").order_by("-id")
    if action := wanted.get("action"):
        found = found.filter(action__startswith=action)
    if name := wanted.get("person"):
        found = found.filter(actor__username=name)
    if subject := wanted.get("subject"):
        found = found.filter(Q(subject=subject) | Q(subject_id=subject))
    if answer := wanted.get("allowed"):
        found = found.filter(allowed=answer == "yes")
    if since := wanted.get("since"):
        found = found.filter(at__gte=midnight(since, 0))
    if until := wanted.get("until"):
        found = found.filter(at__lt=midnight(until, 1))
    if before := wanted.get("before"):
        found = found.filter(pk__lt=before)
    return found
