"""What is sharp: where a page asks for the password again, a call asks for as much.

A token needs the scope `administer`, which nobody gets without entering their password; a session has to
have been proved within the last ten minutes.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest

from cvdops.access.tokens import Bearer
from cvdops.accounts.sessions import SessionStore
from cvdops.lib.errors import Reason, Refused

Call = TypeVar("Call", bound=Callable[..., Any])

_STALE = Reason(
    "fresh",
    "This asks for your password, and it was not entered in this session within ten minutes.",
    "Do it at the portal, or with a token that has the scope administer.",
)


def sharp(call: Call) -> Call:
    """Mark a call."""
    call.sharp = True  # type: ignore[attr-defined]
    return call


def is_sharp(call: Callable[..., Any]) -> bool:
    """Whether it is marked."""
    return getattr(call, "sharp", False) is True


def check(request: HttpRequest) -> None:
    """Raises Refused. The scope of a token was asked for before."""
    if isinstance(getattr(request, "bearer", None), Bearer):
        return
    if not (isinstance(request.session, SessionStore) and request.session.fresh):
        raise Refused([_STALE])
