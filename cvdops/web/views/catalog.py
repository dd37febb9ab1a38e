"""The catalog: the runbooks that a person may see, where they come from, and reading them anew."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.catalog import read_anew, source, told
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, each
from cvdops.catalog.models import Group, Runbook
from cvdops.catalog.report import FileAction
from cvdops.executions.quality import of_newest
from cvdops.lib.errors import UserError
from cvdops.lib.visible import visible
from cvdops.web.forms import CatalogFilter
from cvdops.web.summaries import catalog_rows

TOLD = 12  # files that a message names after a sync
LONGEST_MESSAGE = 400  # characters
TO_MEND = (FileAction.BROKEN, FileAction.REFUSED)


@requires(Action.USE_PORTAL)
def runbooks(request: HttpRequest) -> HttpResponse:
    user = person(request)
    form = CatalogFilter(request.GET)
    wanted = form.values()
    rows = [row for row in catalog_rows(user) if _matches(row.runbook, **wanted)]
    found = of_newest(user, [row.runbook for row in rows])
    judged = [(row, found.get(row.runbook.pk)) for row in rows]
    may = each(user, (Action.SYNC_CATALOG, Action.EDIT_TRIGGERS), None)
    context = {
        "form": form,
        "left_out": form.left_out(),
        "filtered": bool(wanted),
        "core": [one for one in judged if one[0].runbook.group == Group.CORE],
        "emergency": [one for one in judged if one[0].runbook.group == Group.EMERGENCY],
        "may_sync": may[Action.SYNC_CATALOG],
        "may_trigger": may[Action.EDIT_TRIGGERS],
        "source": source(user),
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


@requires(Action.SYNC_CATALOG, "POST")
def sync_now(request: HttpRequest) -> HttpResponse:
    try:
        results = read_anew(person(request))
    except UserError as error:
        # The page goes on saying so until the source can be read again.
        messages.error(request, f"{error} The catalog stays as it is.")
        return redirect("runbooks")
    changed = [r for r in results if r.action is not FileAction.UNCHANGED]
    shown, known = told(person(request), changed), told(person(request), results)
    for result in shown[:TOLD]:
        level = messages.WARNING if result.action in TO_MEND else messages.SUCCESS
        text = f"{result.path}: {result.action}. {result.message}"
        messages.add_message(request, level, visible(text[:LONGEST_MESSAGE]))
    if not shown:
        messages.info(request, f"All {len(known)} runbooks are as they were.")
    elif len(shown) > TOLD:
        messages.info(request, f"{len(shown) - TOLD} more files: see what the last sync did.")
    return redirect("runbooks")
