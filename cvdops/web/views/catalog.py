"""The catalog, a runbook with its document and versions, and reading the runbooks anew."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from cvdops.access.catalog import get_runbook
from cvdops.access.policy import Action, Decision, Matter, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.catalog.models import Group, Runbook, RunbookVersion
from cvdops.catalog.queries import document
from cvdops.catalog.sync import FileAction, sync
from cvdops.environments.models import Environment
from cvdops.executions.queries import visible_to
from cvdops.lib.errors import NotFound
from cvdops.spec.plan import steps_of
from cvdops.web.access import person, requires
from cvdops.web.forms import CatalogFilter
from cvdops.web.freshness import freshness
from cvdops.web.summaries import catalog_rows, success_rate

LAST = 8
TO_MEND = (FileAction.BROKEN, FileAction.REFUSED)


@requires(Action.USE_PORTAL)
def runbooks(request: HttpRequest) -> HttpResponse:
    user = person(request)
    form = CatalogFilter(request.GET)
    wanted = form.values()
    rows = [row for row in catalog_rows(user) if _matches(row.runbook, **wanted)]
    context = {
        "form": form,
        "filtered": bool(wanted),
        "core": [row for row in rows if row.runbook.group == Group.CORE],
        "emergency": [row for row in rows if row.runbook.group == Group.EMERGENCY],
        "may_sync": can(user, Action.SYNC_CATALOG),
    }
    template = (
        "catalog/list.html#tables" if request.headers.get("HX-Request") else "catalog/list.html"
    )
    return render(request, template, context)


def _matches(runbook: Runbook, q: str = "", category: str = "", group: str = "") -> bool:
    metadata = runbook.newest.metadata if runbook.newest else {}
    text = f"{runbook.title} {runbook.pk} {metadata.get('purpose', '')}".casefold()
    return (
        all(word in text for word in q.casefold().split())
        and category in ("", runbook.category)
        and group in ("", runbook.group)
    )


@requires(Action.READ_RUNBOOK)
def runbook(request: HttpRequest, runbook_id: str) -> HttpResponse:
    user = person(request)
    found = get_runbook(user, runbook_id)
    version = _version(found, request.GET.get("version", ""))
    doc = document(version)
    executions = visible_to(user).filter(runbook=found)
    context = {
        "runbook": found,
        "version": version,
        "document": doc,
        "procedures": [(p, steps_of(doc, p.key)) for p in doc.procedures],
        "versions": found.versions.defer("source", "metadata", "diagnostics"),
        "executions": executions[:LAST],
        "rate": success_rate(executions),
        "fresh": freshness(version.metadata, found.category, timezone.now().date()),
        "start": may_start(user, found),
    }
    return render(request, "catalog/runbook.html", context)


def _version(runbook: Runbook, number: str) -> RunbookVersion:
    """The version asked for, else the newest. Raises NotFound."""
    chosen = runbook.versions.filter(number=int(number[:9])) if number.isdecimal() else None
    version = chosen.first() if chosen is not None else runbook.newest
    if version is None:
        raise NotFound("version")
    return version


def may_start(user: User, runbook: Runbook) -> Decision:
    """Whether this person may start it anywhere; if not, why not."""
    everywhere = can(user, Action.START, Matter(runbook.category))
    if everywhere.allowed:
        return everywhere
    granted = Environment.objects.filter(rolegrant__user=user).distinct()
    for environment in granted.values_list("pk", flat=True):
        decision = can(user, Action.START, Matter(runbook.category, environment))
        if decision.allowed:
            return decision
    return everywhere


@requires(Action.SYNC_CATALOG, "POST")
def read_anew(request: HttpRequest) -> HttpResponse:
    results = sync().results
    changed = [r for r in results if r.action is not FileAction.UNCHANGED]
    record(
        person(request),
        Action.SYNC_CATALOG,
        "catalog",
        "",
        data={"changed": [f"{r.path}: {r.action}" for r in changed]},
    )
    for result in changed:
        level = messages.WARNING if result.action in TO_MEND else messages.SUCCESS
        messages.add_message(request, level, f"{result.path}: {result.action}. {result.message}")
    if not changed:
        messages.info(request, f"All {len(results)} runbooks are as they were.")
    return redirect("runbooks")
