"""What is asked for: strictly, so that a misspelt word is never taken for one that was not said."""

from typing import Annotated, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from ninja import Schema
from pydantic import ConfigDict, StringConstraints

from cvdops.lib.errors import Invalid, Problem

PAGE = 50  # items of a list

Row = TypeVar("Row", bound=Model)

# PostgreSQL holds no NUL.
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]


class Asked(Schema):
    """Parameters or a body: what has another name than its fields is an error."""

    model_config = ConfigDict(extra="forbid")


class Listed(Asked):
    """The parameters of every list. `cursor` is the `next_cursor` of the page before."""

    cursor: str = ""


def check_names(request: HttpRequest, known: frozenset[str]) -> None:
    """Every parameter has to be known, and said once. Raises Invalid."""
    problems = [
        Problem(name, "There is no such parameter." if name not in known else "Say this once.")
        for name, values in request.GET.lists()
        if name not in known or len(values) > 1
    ]
    if problems:
        raise Invalid(problems)


def first(found: QuerySet[Row]) -> tuple[list[Row], str]:
    """The first page of a list in the order of its keys, and the cursor of the next one; empty: none."""
    rows = list(found[: PAGE + 1])
    return rows[:PAGE], str(rows[PAGE - 1].pk) if len(rows) > PAGE else ""


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


def _wrong() -> Invalid:
    return Invalid([Problem("cursor", "This is no cursor. Take the next_cursor of a page.")])
