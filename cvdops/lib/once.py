"""What a page that changes nothing asks several times is read once, and anew for whatever is asked next.

Above all these are rights. What changes something never gets an answer of before: its views are no such pages,
and neither are streams, which go on after their view.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")

_answers: ContextVar[dict[Hashable, Any] | None] = ContextVar("answers", default=None)


@contextmanager
def one_look() -> Iterator[None]:
    """Within it the functions marked as `once` answer what they answered at their first time in it."""
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def once(ask: Callable[P, T]) -> Callable[P, T]:
    """Mark a function that reads; its arguments are hashable, and nobody changes what it returns."""

    @wraps(ask)
    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        known = answers()
        if known is None:
            return ask(*args, **kwargs)
        asked_for = question(ask, args, kwargs)
        if asked_for not in known:
            known[asked_for] = ask(*args, **kwargs)
        return cast(T, known[asked_for])

    return asked


def answers() -> dict[Hashable, Any] | None:
    """What was asked in this look so far, by `question`; None outside of any."""
    return _answers.get()


def question(
    ask: Callable[..., object], args: tuple[object, ...], kwargs: Mapping[str, object]
) -> Hashable:
    """The name of an answer."""
    return (ask, args, tuple(sorted(kwargs.items())))
