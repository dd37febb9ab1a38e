"""Changes of what decides about rights: the open proposals, one of them, the history of one thing."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.changes import queries, services
from cvdops.changes.kinds import kind as kind_named
from cvdops.changes.models import Change
from cvdops.lib.errors import Invalid
from cvdops.web.changes import Shown
from cvdops.web.fresh import fresh


@requires(Action.READ_PERMISSIONS)
def changes(request: HttpRequest) -> HttpResponse:
    user = person(request)
    context = {
        "proposed": [Shown(c) for c in queries.visible(user, is_open=True)],
        "decided": [Shown(c) for c in queries.visible(user, is_open=False)],
    }
    return render(request, "permissions/changes.html", context)


@requires(Action.READ_PERMISSIONS)
def history(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    found = queries.history(person(request), kind, key)
    what = kind_named(kind)
    context = {
        "title": what.title(key),
        "called": what.CALLED,
        "decided": [Shown(change) for change in found],
    }
    return render(request, "permissions/history.html", context)


@requires(Action.READ_PERMISSIONS)
def change(request: HttpRequest, change_id: str) -> HttpResponse:
    return _page(request, queries.change_named(person(request), change_id))


@requires(Action.DECIDE_CHANGE, "POST")
@fresh
def confirm(request: HttpRequest, change_id: str) -> HttpResponse:
    made = services.confirm(person(request), change_id, request.POST.get("comment", ""))
    messages.success(request, f"{Shown(made).title}: it is so now.")
    return redirect("change", change_id)


@requires(Action.DECIDE_CHANGE, "POST")
@fresh
def refuse(request: HttpRequest, change_id: str) -> HttpResponse:
    try:
        services.refuse(person(request), change_id, request.POST.get("comment", ""))
    except Invalid as error:
        return _page(request, queries.change_named(person(request), change_id), error)
    return redirect("change", change_id)


@requires(Action.DECIDE_CHANGE, "POST")
def withdraw(request: HttpRequest, change_id: str) -> HttpResponse:
    services.withdraw(person(request), change_id)
    return redirect("change", change_id)


def _page(request: HttpRequest, found: Change, error: Invalid | None = None) -> HttpResponse:
    user = person(request)
    context = {
        "shown": Shown(found),
        "change": found,
        "decide": services.may_decide(user, found) if found.is_open else None,
        "mine": found.proposer == user.person,
        "error": error,
    }
    status = error.status if error else 200
    return render(request, "permissions/change.html", context, status=status)
