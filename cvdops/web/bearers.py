"""Who asks by a token. Tokens count below `/api/v1/` alone, and instead of a session."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from cvdops.access.marks import access_of
from cvdops.access.policy import Action
from cvdops.access.tokens import PREFIX, Bearer, bearer, shown_in_vain, written_in
from cvdops.lib import problems

_CLOSED = (
    "This token opens nothing: it has expired, was revoked, or there is none like it. "
    "Make another one under Account."
)
_IN_ADDRESS = (
    "A token in an address ends up in logs, so it is not accepted there. Revoke it, make another one, "
    "and send that in the header: Authorization: Bearer …"
)


_NOBODY = "Send the header Authorization: Bearer …, or log in at the portal."


def bearer_of(request: HttpRequest) -> Bearer | None:
    """Whose token the request carries; None for a session, and for nobody."""
    found = getattr(request, "bearer", None)
    return found if isinstance(found, Bearer) else None


def authenticate(
    request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any
) -> HttpResponse | None:
    """Let the person of a token be the one who asks. A token that opens nothing is refused at once.

    So is nobody: before the mark of a session is asked for, which nobody can have.
    """
    if not problems.asked_for(request):
        return None
    values = [value for _, given in request.GET.lists() for value in given]
    in_address = [value for value in values if value.startswith(PREFIX)]
    in_address += written_in(request.path_info)
    if in_address:
        shown_in_vain(in_address[0])
        return problems.unknown("token_in_address", _IN_ADDRESS)
    header = request.headers.get("Authorization")
    if header is None:
        access = access_of(view, request.method)
        public = access is not None and access.action is Action.PUBLIC
        return None if public or request.user.is_authenticated else nobody()
    found = bearer(header)
    if found is None:
        shown_in_vain(header)
        return problems.unknown("token", _CLOSED)
    request.user = found.user
    request.bearer = found  # type: ignore[attr-defined]
    # No browser adds this header by itself, so no other site can have sent it.
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
    return None


def nobody() -> HttpResponse:
    """For a program that has not shown who it is."""
    return problems.unknown("login", _NOBODY)
