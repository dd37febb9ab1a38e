"""Every error as an answer: a page, or for HTMX a notice on the page that is already open."""

import logging
import sys
from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse

from cvdops.access.marks import access_of
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.lib import problems
from cvdops.lib.errors import NotFound, Reason, Refused, TooMany, UserError
from cvdops.web.bearers import bearer_of
from cvdops.web.typed import Written, back, written

logger = logging.getLogger(__name__)

DATABASE_ERRORS = (OperationalError, InterfaceError)
CODES = {  # of those that are no UserError, as the API says them
    400: "unreadable",
    403: "forbidden",
    404: "not_found",
    405: "method",
    413: "too_large",
    500: "fault",
    503: "unavailable",
}
INSIDE = {400, 403, 404, 405, 413}  # whose pages ask the database, for the navigation
_NO_MARK = (
    "Nothing was changed. Send the value of the cookie csrftoken in the header X-CSRFToken, "
    "or a token instead of the session."
)


def answer(request: HttpRequest, error: UserError) -> HttpResponse:
    """What a person is told who asked for something that cannot be done."""
    if isinstance(error, Refused):
        record_refusal(request, error.reasons)
    elif isinstance(error, NotFound) and request.method == "POST":
        # Something that is not there, or not for this person: nobody sends that from a page.
        record_refusal(request, [Reason(error.code, str(error))])
    if problems.asked_for(request):
        return problems.explained(error)
    template = "errors/_notice.html" if request.headers.get("HX-Request") else "errors/user.html"
    # A form on the open page still has what it was sent with; one that came too late may be replaced.
    stays = template == "errors/_notice.html" and error.status == 422
    said = () if stays else written(request)
    context = {"error": error, "written": said, "back": back(request)}
    response = render(request, template, context, status=error.status)
    if isinstance(error, TooMany):
        response["Retry-After"] = str(error.wait)
    return _as_notice(request, response)


def unavailable(request: HttpRequest) -> HttpResponse:
    """The calm page for a database that does not answer, made without asking it anything."""
    title = "The portal cannot reach its database"
    response = _bare(
        request,
        503,
        title,
        "Nothing that runs is lost: steps go on where they run, and their output is read "
        "afterwards. Load this page again in a few seconds.",
        written(request),
        call="Nothing that runs is lost. Send this again in a few seconds.",
    )
    response["Retry-After"] = "5"
    return response


def busy(request: HttpRequest) -> HttpResponse:
    """For who was not let in because too many were inside: made without asking the database."""
    response = _bare(
        request,
        503,
        "The portal has too much to do at this moment",
        "Nothing of what you asked for was done. What runs goes on. Try it again in a few seconds.",
        written(request),
    )
    response["Retry-After"] = "2"
    return response


def logged_out(request: HttpRequest) -> HttpResponse | None:
    """For who sent a form after their session had ended: what they wrote, to take along; None for nothing."""
    said = written(request)
    if not said:
        return None
    return _bare(
        request,
        401,
        "You are not logged in any more",
        "Nothing was changed. Copy what you wrote, log in, and send it once more.",
        said,
        login=login_address(request),
    )


def login_address(request: HttpRequest) -> str:
    """The login page, from where one comes back to the page on which the form stood."""
    here = urlsplit(back(request))
    target = here.path + (f"?{here.query}" if here.query else "")
    return reverse("login") + (f"?{urlencode({'next': target})}" if target else "")


def process_exception(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """An exception from a view as an answer; None leaves it to Django (a fault of the program)."""
    if isinstance(error, UserError):
        return answer(request, error)
    if isinstance(error, DATABASE_ERRORS):
        logger.warning("The database does not answer %s: %s", request.path, error)
        return unavailable(request)
    return None


def record_refusal(request: HttpRequest, reasons: Sequence[Reason]) -> None:
    """Write into the audit log that a person was refused, and why."""
    match = request.resolver_match
    if match is None or not isinstance(request.user, User):
        return
    access = access_of(match.func, request.method)
    data = {"method": request.method, "reasons": [reason.code for reason in reasons]}
    token = bearer_of(request)
    record(
        request.user,
        access.action.value if access else "unnamed",
        "page",
        _named(request).replace("\0", "%00")[:80],  # which PostgreSQL does not hold
        allowed=False,
        data={**data, "token": token.token} if token else data,
    )


def _named(request: HttpRequest) -> str:
    """The address of the page, also for a call of the API: who may not see the one sees neither in the log."""
    if not problems.asked_for(request):
        return request.path
    return f"/{request.path_info.removeprefix(problems.ROOT).strip('/')}/"


def wrong_method(request: HttpRequest, allowed: Sequence[str]) -> HttpResponse:
    response = _bare(
        request, 405, "That cannot be done here", f"This address answers {' and '.join(allowed)}."
    )
    response["Allow"] = ", ".join(allowed)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    logger.info("%s %s: %s", request.method, request.path, exception)
    if isinstance(exception, RequestDataTooBig):
        text = "A form takes 2 MB at most. Send less."
        call = "A body has 2 MB at most. Send less."
        return _bare(request, 413, "That is too large", text, call=call)
    text, call = (
        "Go back and try once more.",
        "Send text without NUL, and the body as JSON in UTF-8.",
    )
    return _bare(request, 400, "That request could not be read", text, call=call)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    logger.info("%s %s: %s", request.method, request.path, exception)
    return _bare(request, 403, "Not allowed", "Ask an administrator if you need this.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    logger.info("%s %s: %s", request.method, request.path, exception)
    call = f"There is no such call. GET {problems.ROOT}openapi.json describes all that there are."
    return _bare(request, 404, "Nothing here", str(NotFound()), call=call)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    logger.warning("Refused %s %s: %s", request.method, request.path, reason)
    if problems.asked_for(request):
        return problems.problem(403, CODES[403], "The mark of the session is missing", _NO_MARK)
    return _bare(
        request,
        403,
        "This form is too old, or did not come from the portal",
        "Nothing was changed. Go back, load the page again, and send it once more.",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Also reached when the database fails outside a view: in a middleware or in an error page."""
    if isinstance(sys.exc_info()[1], DATABASE_ERRORS):
        return unavailable(request)
    return _bare(
        request,
        500,
        "Something in the portal is broken",
        "This is a fault of the portal, not yours. It was written to its log. "
        "What runs goes on. Reload the page; if it says the same again, tell an administrator the time.",
        call="This is a fault of the portal, not yours. It was written to its log. "
        "What runs goes on. Send this again; if it stays, tell an administrator the time.",
    )


def _bare(
    request: HttpRequest,
    status: int,
    title: str,
    text: str,
    said: Sequence[Written] = (),
    *,
    login: str = "",
    call: str = "",
) -> HttpResponse:
    """`call`: what a program is told instead of the text for people."""
    if problems.asked_for(request):
        return problems.problem(status, CODES.get(status, "error"), title, call or text)
    htmx = bool(request.headers.get("HX-Request"))
    if not htmx and (inside := _inside(request, _Said(status, title, text), said)):
        return inside
    template = "errors/_bare_notice.html" if htmx else "errors/bare.html"
    context = {"status": status, "title": title, "text": text, "written": said, "login": login}
    content = render_to_string(template, context)
    return _as_notice(request, HttpResponse(content, status=status))


class _Said(UserError):
    """An error that no view has raised."""

    def __init__(self, status: int, title: str, text: str) -> None:
        self.status, self.title = status, title
        super().__init__(text)


def _inside(request: HttpRequest, error: _Said, said: Sequence[Written]) -> HttpResponse | None:
    """The same among the navigation, for somebody logged in and as long as nothing is broken; else None."""
    user = getattr(request, "user", None)
    try:
        if error.status not in INSIDE or not isinstance(user, User) or user.password_given:
            return None
        context = {"error": error, "written": said, "back": back(request)}
        return render(request, "errors/user.html", context, status=error.status)
    except DATABASE_ERRORS:
        return None


def _as_notice(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    if request.headers.get("HX-Request"):
        response["HX-Retarget"] = "#notices"
        response["HX-Reswap"] = "innerHTML show:top"
    return response
