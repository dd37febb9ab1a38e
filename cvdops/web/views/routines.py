"""What the team does again and again: how each routine stands, confirming it, its history."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, can, sees
from cvdops.executions import routines as book
from cvdops.lib.errors import Invalid


@requires(Action.USE_PORTAL)
def routines(request: HttpRequest) -> HttpResponse:
    return _page(request)


@requires(Action.USE_PORTAL)
def routine(request: HttpRequest, key: str) -> HttpResponse:
    context = {"routine": book.named(key), "done": book.history(key)}
    return render(request, "routines/one.html", context)


@requires(Action.CONFIRM_ROUTINE, "POST")
def confirm(request: HttpRequest, key: str) -> HttpResponse:
    try:
        done = book.confirm(person(request), key, request.POST.get("note", ""))
    except Invalid as error:
        return _page(request, key, str(error.problems[0].message))
    messages.success(request, f"{book.named(done.routine).title}: done today, as you say.")
    return redirect("routines")


def _page(request: HttpRequest, key: str = "", problem: str = "") -> HttpResponse:
    """The page; of the routine of that key with what is wrong with the note."""
    user = person(request)
    rows = [
        (one, reverse(one.routine.page), one.proved and sees(user, *one.proved.where))
        for one in book.standings()
    ]
    context = {
        "rows": rows,
        "may": can(user, Action.CONFIRM_ROUTINE),
        "key": key,
        "problem": problem,
        "typed": request.POST.get("note", ""),
    }
    return render(request, "routines/list.html", context, status=422 if problem else 200)
