"""Every execution that a person may see, with filters, newest first: as a list and as a file."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from cvdops.access import limits
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.executions import filters, history, records, search, standstill
from cvdops.executions.glance import told
from cvdops.executions.models import Execution
from cvdops.executions.past import Lasting
from cvdops.executions.states import ExecutionState, Look
from cvdops.lib.errors import Conflict, Invalid, NotFound
from cvdops.lib.exports import FORMATS, Read, export
from cvdops.lib.together import Wanted, ahead
from cvdops.web import summaries
from cvdops.web.forms import HistoryFilter, name_in
from cvdops.web.live import waiting
from cvdops.web.live.waiting import Brief


@requires(Action.USE_PORTAL)
def executions(request: HttpRequest) -> HttpResponse:
    user, part = person(request), "#rows" if request.headers.get("HX-Request") else ""
    named, words = name_in(request.GET), request.GET.get("output", "").strip()
    with limits.asking(user) if words else nullcontext():
        ahead(
            *([] if part else [told.of(user)]),
            *history.asked(user, named),
            *(_searching(words, request.GET.get("before", "")) if words else []),
        )
        known = history.places(user, named)
        form = HistoryFilter(request.GET, known)
        wanted, before = form.wanted(), form.values().get("before", "")
        page = history.page(user, wanted, before, known)
        rows = _rows(user, page.items, wanted.output)
    context = {
        "form": form,
        "page": page,
        "rows": rows,
        "query": form.query(),
        "left_out": form.left_out(),
        "more": any(one.value() for one in form.unusual),
        "first": not before,
        "saved": known.kept,
        "now": timezone.now(),
        "searched": search.reach() if wanted.output else None,
        # With other filters, not with the rows that come by themselves: a name may be half typed there.
        "oob": bool(part) and request.headers.get("HX-Trigger") != "rows",
    }
    return render(request, f"history/list.html{part}", context)


def _searching(words: str, before: str) -> tuple[Wanted, Wanted]:
    """What a page with words of the output reads before its rows."""
    return search.unsearched.of(), search.horizons.of(words, history.cursor(before))


@dataclass(frozen=True, slots=True)
class Row:
    """An execution of the list: what it waits for, what takes unusually long, where words were found."""

    execution: Execution
    waits: Brief
    slow: tuple[Lasting, ...]
    hit: search.Hit | None

    @property
    def look(self) -> Look:
        return standstill.look(self.execution)

    @property
    def line(self) -> str:
        """The end of the address at which the line is shown in which words were found."""
        assert self.hit is not None  # noqa: S101 — asked for where there is one
        hit = self.hit
        fields = {"step": hit.step, "attempt": hit.attempt, "at": hit.at, "q": hit.phrase}
        return f"?{urlencode({name: value for name, value in fields.items() if value != ''})}#at"


def _rows(user: User, found: Sequence[Execution], words: str) -> list[Row]:
    """Whatever is said of them is read in one statement."""
    running = [e for e in found if e.state == ExecutionState.RUNNING and not standstill.unheard(e)]
    ids = tuple(e.pk for e in found)
    pieces = [search.pieces.of(user, words, ids)] if words else []
    ahead(*summaries.reads(running), *waiting.reads(found), *pieces)
    hits = search.hits(user, words, ids) if words else {}
    slow = {row.execution.pk: row.ahead.slow for row in summaries.with_progress(running)}
    waits = waiting.briefs(found)
    return [Row(e, waits[e.pk], slow.get(e.pk, ()), hits.get(e.pk)) for e in found]


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
    return export(f"executions-{timezone.now():%Y-%m-%d}", kind, records.EXECUTION, read)


def _prepared(request: HttpRequest, kind: str) -> Read:
    user = person(request)
    form = HistoryFilter(request.GET, history.places(user))
    form.enforce()
    return records.executions(user, form.wanted(), kind, form.query())
