"""Every execution that a person may see, with filters, newest first."""

from datetime import UTC, date, datetime, time, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cvdops.access.catalog import visible_runbooks
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.environments.models import Environment
from cvdops.executions.queries import history
from cvdops.web.forms import HistoryFilter
from cvdops.web.live.waiting import briefs


@requires(Action.USE_PORTAL)
def executions(request: HttpRequest) -> HttpResponse:
    user = person(request)
    form = HistoryFilter(
        request.GET,
        runbooks=[(r.pk, r.title) for r in visible_runbooks(user)],
        environments=list(Environment.objects.values_list("slug", flat=True)),
    )
    wanted = form.values()
    for name, shift in (("since", 0), ("until", 1)):
        if name in wanted:
            wanted[name] = midnight(wanted[name], shift)
    page = history(user, **wanted)
    waits = briefs(page.items)
    context = {
        "form": form,
        "page": page,
        "rows": [(execution, waits[execution.pk]) for execution in page.items],
        "filtered": bool(set(wanted) - {"before"}),
        "first": "before" not in wanted,
    }
    fragment = bool(request.headers.get("HX-Request"))
    return render(request, "history/list.html" + ("#rows" if fragment else ""), context)


def midnight(day: date, shift: int) -> datetime:
    """The beginning of a day in UTC, some days later; the last day there is, at most."""
    try:
        return datetime.combine(day + timedelta(days=shift), time(), UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
