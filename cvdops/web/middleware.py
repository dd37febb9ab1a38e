"""What happens around every view. Nothing here looks into a response, so streams pass untouched."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from cvdops.access.marks import BOUND_TO_OBJECT, access_of
from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.accounts.sessions import SessionStore
from cvdops.audit.log import from_address
from cvdops.lib.errors import Reason, Refused
from cvdops.lib.problems import asked_for
from cvdops.web import errors
from cvdops.web.bearers import authenticate, bearer_of
from cvdops.web.gate import TURNED_AWAY

Handler = Callable[[HttpRequest], HttpResponseBase]

PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
UNNAMED = Reason(
    "unnamed", "This address does not say who may use it, so nobody may.", "Tell an administrator."
)
GIVEN = Reason(
    "password",
    "Somebody else knows your password.",
    "Log in at the portal and change it.",
)


def audit_address(get_response: Handler) -> Handler:
    """What is written to the audit log during a request carries the address it came from."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        with from_address(request.META.get("REMOTE_ADDR") or None):
            return get_response(request)

    return middleware


def page_headers(get_response: Handler) -> Handler:
    """No page is kept by a browser or a proxy, and none may use the machine's devices."""
    return _passing(get_response, _add_headers)


def turned_away(get_response: Handler) -> Handler:
    """Who was not let in at the gate reads so. Nothing that follows may ask the database for them."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return errors.busy(request) if _is_turned_away(request) else get_response(request)

    return middleware


def _is_turned_away(request: HttpRequest) -> bool:
    return isinstance(request, ASGIRequest) and TURNED_AWAY in request.scope


def database_errors(get_response: Handler) -> Handler:
    """Errors that a view raises become answers: those of people, and a database that is gone."""
    middleware = _passing(get_response)
    middleware.process_exception = errors.process_exception  # type: ignore[attr-defined]
    return middleware


def bearer_tokens(get_response: Handler) -> Handler:
    """Below `/api/v1/` a token says who asks. It comes before the check of forms, which no token needs."""
    middleware = _passing(get_response)
    middleware.process_view = _authenticate  # type: ignore[attr-defined]
    return middleware


def default_deny(get_response: Handler) -> Handler:
    """A view without an access mark is refused; a mark is enforced as far as it needs no object."""
    middleware = _passing(get_response)
    middleware.process_view = _check_access  # type: ignore[attr-defined]
    return middleware


def _passing(
    get_response: Handler, finish: Callable[[HttpResponseBase], None] = lambda _: None
) -> Handler:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        finish(response)
        return response

    return middleware


def _add_headers(response: HttpResponseBase) -> None:
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)


def _authenticate(
    request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: dict[str, object]
) -> HttpResponse | None:
    try:
        return authenticate(request, view, args, kwargs)
    except errors.DATABASE_ERRORS:
        return errors.unavailable(request)


def _check_access(
    request: HttpRequest, view: Callable[..., Any], _args: Any, kwargs: dict[str, object]
) -> HttpResponse | None:
    try:
        _prolong(request)
        return _refuse(request, view) or _refuse_nul(request, kwargs)
    except errors.DATABASE_ERRORS:
        return errors.unavailable(request)


def _prolong(request: HttpRequest) -> None:
    """A person who opens a page or sends a form is there; what a page asks for by itself shows nothing."""
    if bearer_of(request):
        return
    by_itself = request.headers.get("Sec-Fetch-Dest", "document") != "document"
    by_itself = by_itself or "HX-Request" in request.headers
    # A form that shows at once what was chosen in it says so: nobody is logged out while filling it in.
    deliberate = request.method == "POST" or not by_itself or "X-Deliberate" in request.headers
    if not (deliberate and request.user.is_authenticated):
        return
    if isinstance(request.session, SessionStore):
        request.session.modified |= request.session.due
        if request.session.renew:
            request.session.cycle_key()


def _refuse(request: HttpRequest, view: Callable[..., Any]) -> HttpResponse | None:
    access = access_of(view, request.method)
    public = access is not None and access.action is Action.PUBLIC
    if not public and not request.user.is_authenticated:
        return _ask_to_log_in(request)
    if access is None:
        errors.logger.error("The view of %s has no access mark; it was refused.", request.path)
        return errors.answer(request, Refused([UNNAMED]))
    if request.method not in access.methods:
        return errors.wrong_method(request, sorted(access.methods))
    if not public and _has_given_password(request):
        if asked_for(request):
            return errors.answer(request, Refused([GIVEN]))
        return _lead_to(request, reverse("password"))
    if (token := bearer_of(request)) and not (permitted := token.permits(access.action)).allowed:
        return errors.answer(request, Refused(permitted.reasons))
    if access.action not in BOUND_TO_OBJECT:
        decision = can(request.user, access.action)
        if not decision.allowed:
            return errors.answer(request, Refused(decision.reasons))
    return None


def _refuse_nul(request: HttpRequest, kwargs: dict[str, object]) -> HttpResponse | None:
    """PostgreSQL holds no text with a NUL in it, so no page has to think of one."""
    values = (*kwargs.values(), *_sent(request))
    if any("\0" in value for value in values if isinstance(value, str)):
        return errors.bad_request(request, ValueError("NUL in what was sent"))
    return None


def _sent(request: HttpRequest) -> Iterator[str]:
    for data in (request.GET, request.POST):
        for name, values in data.lists():
            yield name
            yield from values


def _has_given_password(request: HttpRequest) -> bool:
    """Whether somebody else knows this person's password: it is changed before anything else."""
    match = request.resolver_match
    elsewhere = match is None or match.url_name not in {"password", "logout"}
    return elsewhere and isinstance(request.user, User) and request.user.password_given


def _lead_to(request: HttpRequest, target: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401, headers={"HX-Redirect": target})
    return HttpResponse(status=302, headers={"Location": target})


def _ask_to_log_in(request: HttpRequest) -> HttpResponse:
    """A page leads to the login and back; a fragment or a stream cannot, and is told so."""
    if request.method == "POST" and (answer := errors.logged_out(request)):
        return answer
    login = reverse("login")
    if request.headers.get("HX-Request"):
        here = urlsplit(request.headers.get("HX-Current-URL", ""))
        back = here.path + (f"?{here.query}" if here.query else "")
        target = f"{login}?{urlencode({'next': back})}" if back else login
        return HttpResponse(status=401, headers={"HX-Redirect": target})
    if not request.accepts("text/html"):
        return HttpResponse("Log in first.", status=401, content_type="text/plain")
    if request.method in {"GET", "HEAD"}:
        login += "?" + urlencode({"next": request.get_full_path()})
    elif request.method == "POST":
        login = errors.login_address(request)
    return HttpResponse(status=302, headers={"Location": login})
