"""Re-authentication: what is sharp needs the password, entered a short time ago in this session.

`@fresh` on a view lets a POST through if it was; else it asks for the password on a page of its own, and
then goes on with what was typed. A form may ask at once: `{% include "accounts/_password.html" %}` shows
the field when it is needed, and the decorator takes what was entered there.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cvdops.access.marks import person
from cvdops.accounts.sessions import SessionStore
from cvdops.audit.log import record
from cvdops.web.passwords import judge

FIELD = "your_password"  # no form has a field of this name
_OURS = frozenset({FIELD, "csrfmiddlewaretoken"})

View = Callable[..., HttpResponse]


def fresh(view: View) -> View:
    """Ask who sends this form for their password, unless they entered it within the last ten minutes."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST" and not is_fresh(request):
            if FIELD not in request.POST:
                return _ask(request, 403)
            if problem := _problem(request, request.POST[FIELD]):
                return _ask(request, 422, problem)
        if FIELD in request.POST:
            _forget_password(request)
        return view(request, *args, **kwargs)

    return asked


def is_fresh(request: HttpRequest) -> bool:
    """Whether the password was entered in this session within the last ten minutes."""
    return isinstance(request.session, SessionStore) and request.session.fresh


def _problem(request: HttpRequest, password: str) -> str:
    """Look at the password. What is wrong with it, or nothing: then the session is fresh."""
    user = person(request)
    answer = judge(request, "session.prove", user.username, password)
    if answer.wait:
        return answer.problem
    if not answer.user:
        return "This is not your password."
    with transaction.atomic():
        record(user, "session.prove", "session", user.username)
        if isinstance(request.session, SessionStore):
            request.session.prove()
    return ""


def _ask(request: HttpRequest, status: int, problem: str = "") -> HttpResponse:
    typed = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in _OURS
        for value in values
    ]
    context = {"typed": typed, "problem": problem, "address": request.get_full_path()}
    response = render(request, "accounts/prove.html", context, status=status)
    if request.headers.get("HX-Request"):  # it takes the place of the page
        response["HX-Retarget"] = response["HX-Reselect"] = "#content"
        response["HX-Reswap"] = "outerHTML show:top"
    return response


def _forget_password(request: HttpRequest) -> None:
    """The view gets what it would have got without being asked."""
    rest = request.POST.copy()
    del rest[FIELD]
    request.POST = rest  # type: ignore[assignment]
