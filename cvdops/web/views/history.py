"""Every execution that a person may see, with filters, newest first: as a list and as a file."""

from contextlib import nullcontext

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from cvdops.access import limits
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.audit.log import record
from cvdops.executions import filters, history, search
from cvdops.executions.states import UNHEARD
from cvdops.lib.errors import Conflict, Invalid, NotFound
from cvdops.web import records
from cvdops.web.exports import FORMATS, Read, export
from cvdops.web.forms import HistoryFilter, name_in
from cvdops.web.live.waiting import briefs


@requires(Action.USE_PORTAL)
def executions(request: HttpRequest) -> HttpResponse:
    user = person(request)
    known = history.places(user, name_in(request.GET))
    form = HistoryFilter(request.GET, known)
    wanted, before = form.wanted(), form.values().get("before", "")
    with limits.asking(user) if wanted.output else nullcontext():
        page = history.page(user, wanted, before, known)
        items = [e.pk for e in page.items]
        hits = search.hits(user, wanted.output, items) if wanted.output else {}
    waits = briefs(page.items)
    context = {
        "form": form,
        "page": page,
        "rows": [(e, waits[e.pk], history.unheard(e), hits.get(e.pk)) for e in page.items],
        "query": form.query(),
        "more": any(one.value() for one in form.unusual),
        "first": not before,
        "saved": known.kept,
        "now": timezone.now(),
        "lost": UNHEARD,
        "searched": search.reach() if wanted.output else None,
    }
    part = "#rows" if request.headers.get("HX-Request") else ""
    return render(request, f"history/list.html{part}", context)


@requires(Action.USE_PORTAL, "POST")
def save_filter(request: HttpRequest) -> HttpResponse:
    user = person(request)
    form = HistoryFilter(QueryDict(request.POST.get("query", "")), history.places(user))
    query = form.query()
    try:
        kept = filters.save(user, request.POST.get("name", ""), query)
        messages.success(request, f"Kept as “{kept.name}”. Its address can be given to others.")
    except (Invalid, Conflict) as error:
        messages.error(request, str(error))
    return redirect(f"{reverse('executions')}?{query}")


@requires(Action.USE_PORTAL, "POST")
def remove_filter(request: HttpRequest, pk: int) -> HttpResponse:
    filters.remove(person(request), pk)
    messages.success(request, "The filter is removed.")
    return redirect("executions")


@requires(Action.USE_PORTAL)
def executions_export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """What fits the filters, oldest first."""
    if kind not in FORMATS:
        raise NotFound
    read = _prepared(request, kind)
    return export(f"executions-{timezone.now():%Y-%m-%d}", kind, records.COLUMNS, read)


def _prepared(request: HttpRequest, kind: str) -> Read:
    user = person(request)
    form = HistoryFilter(request.GET, history.places(user))
    record(user, "execution.export", "executions", kind, data={"query": form.query()})
    return records.reader(user.pk, form.wanted())
