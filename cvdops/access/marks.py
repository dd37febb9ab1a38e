"""What each view asks of a person. A view that does not say is refused by the middleware."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, TypeVar, cast

from django.http import HttpRequest

from cvdops.access.policy import NEEDED, Action
from cvdops.accounts.models import User
from cvdops.lib.once import one_look

View = TypeVar("View", bound=Callable[..., Any])

SAFE = frozenset({"GET", "HEAD"})

# These are about one object: the middleware asks for a login, the verb or query for the rest.
BOUND_TO_OBJECT = frozenset({*NEEDED, Action.DECIDE})


@dataclass(frozen=True, slots=True)
class Access:
    """The mark on a view: the action it stands for and the methods it answers.

    `posting`: what POST stands for at an address where it is something else than to read.
    """

    action: Action
    methods: frozenset[str]
    posting: Action | None = None


def requires(action: Action, *methods: str) -> Callable[[View], View]:
    """Mark a view. Without methods it answers GET alone; HEAD goes with GET."""
    allowed = set(methods or ("GET",))
    if "GET" in allowed:
        allowed.add("HEAD")
    access = Access(action, frozenset(allowed))

    def mark(view: View) -> View:
        marked = _read_once(view)
        marked.access = access  # type: ignore[attr-defined]
        return cast(View, marked)

    return mark


def _read_once(view: Callable[..., Any]) -> Callable[..., Any]:
    """What is only shown asks for the rights of its person once."""

    @wraps(view)
    def look(request: HttpRequest, *args: object, **kwargs: object) -> Any:
        if request.method not in SAFE:
            return view(request, *args, **kwargs)
        with one_look():
            return view(request, *args, **kwargs)

    return look


def access_of(view: Callable[..., Any], method: str | None = None) -> Access | None:
    """The mark of a view, as it is for this method; None if it has none."""
    access = getattr(view, "access", None)
    if not isinstance(access, Access):
        return None
    other = access.posting if method == "POST" else None
    return replace(access, action=other) if other else access


def person(request: HttpRequest) -> User:
    """Who asks. Only for views that the middleware lets nobody reach without a login."""
    if not isinstance(request.user, User):
        raise TypeError(f"{request.path} was reached without a login.")
    return request.user
