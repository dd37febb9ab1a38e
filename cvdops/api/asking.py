"""What is asked for: strictly, so that a misspelt word is never taken for one that was not said."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Annotated, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from ninja import Schema
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Strict,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from cvdops.lib.errors import Invalid, Problem

PAGE = 50  # items of a list

Row = TypeVar("Row", bound=Model)

# PostgreSQL holds no NUL.
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]

# In a body a number is a number, and yes is true.
Number = Annotated[int, Strict()]
Flag = Annotated[bool, Strict()]

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _as_text(given: object) -> object:
    if not isinstance(given, str) or not _TIME.fullmatch(given):
        raise ValueError("Give a time with its zone, such as 2026-11-29T02:00:00Z.")
    return given


def _in_utc(given: datetime) -> datetime:
    """PostgreSQL reads no zone that is 16 hours or more away, which RFC 3339 allows."""
    try:
        return given.astimezone(UTC)
    except OverflowError:  # the first or the last day that there is
        return given.replace(tzinfo=UTC)


Moment = Annotated[AwareDatetime, BeforeValidator(_as_text), AfterValidator(_in_utc)]  # RFC 3339


def _as_day(given: object) -> object:
    if not isinstance(given, str) or not _DAY.fullmatch(given):
        raise ValueError("Give a day, such as 2026-11-29.")
    return given


Day = Annotated[date, BeforeValidator(_as_day)]


def told(sentence: str) -> WrapValidator:
    """For what may be one thing or another: what is neither is told by one sentence."""

    def look(given: object, known: ValidatorFunctionWrapHandler) -> object:
        try:
            return known(given)
        except ValidationError:
            raise ValueError(sentence) from None

    return WrapValidator(look)


class Asked(Schema):
    """Parameters or a body: what has another name than its fields is an error."""

    model_config = ConfigDict(extra="forbid")


class Listed(Asked):
    """The parameters of every list. `cursor` is the `next_cursor` of the page before."""

    cursor: Text = ""


@contextmanager
def in_its_words(**names: str) -> Iterator[None]:
    """What is wrong by the words of a page is said by those of the call: the page's name → its own."""
    try:
        yield
    except Invalid as error:
        told = [Problem(names.get(one.field, one.field), one.message) for one in error.problems]
        raise Invalid(told) from None


def check_names(request: HttpRequest, known: frozenset[str]) -> None:
    """Every parameter has to be known, and said once. Raises Invalid."""
    problems = [
        Problem(name, "There is no such parameter." if name not in known else "Say this once.")
        for name, values in request.GET.lists()
        if name not in known or len(values) > 1
    ]
    if problems:
        raise Invalid(problems)


def first(found: QuerySet[Row], key: str = "pk") -> tuple[list[Row], str]:
    """The first page of a list in the order of its keys, and the cursor of the next one; empty: none."""
    rows = list(found[: PAGE + 1])
    return rows[:PAGE], str(getattr(rows[PAGE - 1], key)) if len(rows) > PAGE else ""


def number(cursor: str) -> int:
    """The cursor of a list in the order of numbers. Raises Invalid."""
    if not cursor.isascii() or not cursor.isdecimal() or len(cursor) > 18:
        raise _wrong()
    return int(cursor)


def identity(cursor: str) -> UUID:
    """The cursor of a list in the order of ids. Raises Invalid."""
    try:
        return UUID(cursor)
    except ValueError:
        raise _wrong() from None


def one_of(found: QuerySet[Row], cursor: str) -> str:
    """The cursor of a list in the order of names: that of one of these. Raises Invalid."""
    if not found.filter(pk=cursor).exists():
        raise _wrong()
    return cursor


def _wrong() -> Invalid:
    return Invalid([Problem("cursor", "This is no cursor. Take the next_cursor of a page.")])
