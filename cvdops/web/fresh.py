"""Re-authentication: what is sharp needs the password, entered a short time ago in this session.

`@fresh` on a view lets a POST through if it was; else it asks for the password on a page of its own, and
then goes on with what was typed. A form may ask at once: `{% include "accounts/_password.html" %}` shows
the field when it is needed, and the decorator takes what was entered there.

What is named by `@sensitive_post_parameters`, above `@fresh`, is in no page meanwhile: it lies encrypted in
the session, and the page knows a number of it.
"""

import base64
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cvdops.access.marks import person
from cvdops.accounts.sessions import SessionStore
from cvdops.audit.log import record
from cvdops.lib.errors import Conflict
from cvdops.lib.sealing import SealBroken, seal, unseal
from cvdops.web.passwords import judge

FIELD = "your_password"  # no form has a field of this name
KEPT = "kept"  # nor of this: the number of what is kept in the session, which has one at most
_OURS = frozenset({FIELD, KEPT, "csrfmiddlewaretoken"})

View = Callable[..., HttpResponse]


def fresh(view: View) -> View:
    """Ask who sends this form for their password, unless they entered it within the last ten minutes."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if KEPT in request.POST:
            _fetch(request)
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
    kept = _keep(request)
    typed = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in _OURS and not _is_secret(request, name)
        for value in values
    ]
    context = {"typed": typed, "problem": problem, "address": request.get_full_path(), "kept": kept}
    response = render(request, "accounts/prove.html", context, status=status)
    if request.headers.get("HX-Request"):  # it takes the place of the page
        response["HX-Retarget"] = response["HX-Reselect"] = "#content"
        response["HX-Reswap"] = "outerHTML show:top"
    return response


def _is_secret(request: HttpRequest, name: str) -> bool:
    named = getattr(request, "sensitive_post_parameters", ())
    return named == "__ALL__" or name in named


def _keep(request: HttpRequest) -> str:
    """Put what is secret of what was typed into the session. Its number, or nothing for nothing."""
    found = {
        name: str(value)
        for name, value in request.POST.items()
        if name not in _OURS and _is_secret(request, name)
    }
    if not found:
        return ""
    number = secrets.token_urlsafe(8)
    sealed = base64.b64encode(seal(found, settings.SECRET_KEY)).decode()
    request.session[KEPT] = [number, request.path, sealed]
    return number


def _fetch(request: HttpRequest) -> None:
    """Take it out of the session again, for the address that it was sent to. Raises Conflict."""
    number, path, sealed = request.session.pop(KEPT, ("", "", ""))
    if (number, path) != (request.POST[KEPT], request.path):
        raise Conflict(_GONE)
    try:
        keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        values = unseal(base64.b64decode(sealed), keys)
    except SealBroken:
        raise Conflict(_GONE) from None
    whole = request.POST.copy()
    del whole[KEPT]
    whole.update(values)
    request.POST = whole  # type: ignore[assignment]


_GONE = "Nothing was changed: what you typed is not kept any more. Open the form again and type it anew."


def _forget_password(request: HttpRequest) -> None:
    """The view gets what it would have got without being asked."""
    rest = request.POST.copy()
    del rest[FIELD]
    request.POST = rest  # type: ignore[assignment]
