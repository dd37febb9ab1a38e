"""Who holds which role: all people, and one of them, whose roles are given, changed and ended."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.changes.services import submit
from cvdops.lib.errors import Conflict, Invalid, UserError
from cvdops.web.changes import told
from cvdops.web.fresh import fresh
from cvdops.web.holders import everybody, may_offer, offer, somebody


@requires(Action.READ_PERMISSIONS)
def holders(request: HttpRequest) -> HttpResponse:
    return render(request, "permissions/people.html", {"people": everybody()})


@requires(Action.READ_PERMISSIONS)
def holder(request: HttpRequest, username: str) -> HttpResponse:
    """One person's roles. With a role in the query: what giving, changing or ending it would do."""
    return _page(request, username)


@requires(Action.EDIT_PERMISSIONS, "POST")
@fresh
def give(request: HttpRequest, username: str) -> HttpResponse:
    """Give a role, change its times, or end it: at once, or as a proposal."""
    user, wanted = person(request), offer(username, request.POST)
    if wanted is None:
        return redirect("holder", username)
    reason, seen = request.POST.get("reason", ""), request.POST.get("seen", "")
    try:
        made = submit(user, "grant", wanted.key, wanted.after, reason, seen=seen)
    except (Invalid, Conflict) as error:
        return _page(request, username, error)
    messages.success(request, told([made]))
    return redirect("change", made.pk) if made.is_open else redirect("holder", username)


def _page(request: HttpRequest, username: str, error: UserError | None = None) -> HttpResponse:
    data = request.POST if error else request.GET
    wanted = offer(username, data)
    context = {
        "them": somebody(person(request), username),
        "offer": wanted,
        "may": may_offer(person(request), wanted) if wanted else None,
        "error": error,
        "reason": data.get("reason", ""),
    }
    status = error.status if error else 200
    return render(request, "permissions/person.html", context, status=status)
