"""Search over stored output, piece by piece: an index of its words finds the pieces, their text decides.

Workers write the words of an attempt when it is over (see `indexing`). Output is stored masked, so no
secret is found; what came back to requests is found only by those who may read it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Value, Window
from django.db.models.functions import JSONObject, StrIndex
from django.db.models.lookups import GreaterThan

from cvdops.access import policy
from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.executions.models import Execution, OutputSegment, OutputWords, StepAttempt
from cvdops.executions.output import plain
from cvdops.lib.together import Fixed, Read, Rows
from cvdops.lib.words import asked, finder, folded, uncoloured, words

LINE = 300  # characters of a line that is shown
COUNTED = 20_000  # pieces with the words of a phrase; where there are more, all output is counted
SOON = 16 << 20  # bytes of an output that is looked through while its page is made

UNSEARCHED = Q(finished_at__isnull=False, output_size__gt=0, searched=False)


@dataclass(frozen=True, slots=True)
class Reach:
    """When the first and the last step ended whose output is not searched yet; None: there is no such step."""

    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Hit:
    """Where it was found: the step, and its first line with what was looked for.

    `lines`: how many lines of the execution hold as much; there are more of them if `others` hold it, too.
    """

    step: UUID
    title: str
    host: str
    attempt: int
    line: str
    at: int  # the byte where the line begins
    lines: int
    others: bool  # pieces of its output that were not looked through
    phrase: str  # what the page of the execution looks on for; empty where that would take long or find nothing


def found(user: User, text: str) -> QuerySet[OutputWords]:
    """The pieces of output in which this person finds all of it."""
    parts, phrases = _asked(text)
    if not parts:
        return OutputWords.objects.none()
    pieces = OutputWords.objects.filter(_readable(user), words__contains=sorted(parts))
    for one in phrases:
        pieces = pieces.filter(GreaterThan(StrIndex("text", Value(one)), 0))
    return pieces


def _asked(text: str) -> tuple[set[str], list[str]]:
    """The words that a piece must have, by the index, and what must stand together in its text."""
    wanted = asked(text)
    parts: set[str] = set().union(*map(words, wanted))
    return parts, [one for one in wanted if one.strip() not in parts]


@Read
def horizons(text: str, before: UUID) -> Rows:
    """The execution down to which texts are looked through for a page that begins at `before`; null: all."""
    parts, phrases = _asked(text)
    values = {"words": sorted(parts), "before": before, "counted": COUNTED, "bytes": SOON}
    asked = "output_horizon(%(words)s::text[], %(before)s, %(counted)s, %(bytes)s)"
    return Rows(f"SELECT {asked if phrases else 'NULL::uuid'} AS down_to", values)


def horizon(text: str, before: UUID) -> UUID | None:
    """The same, of what was asked for ahead or now."""
    (found,) = horizons(text, before)
    return UUID(found["down_to"]) if found["down_to"] else None


def _readable(user: User) -> Q:
    places = (
        Q(execution__environment=slug, execution__runbook__category__in=categories)
        for slug, categories in policy.where(user, Action.READ_ANSWERS).items()
        if categories
    )
    return reduce(or_, places, Q(answer=False))


@Fixed
def unsearched() -> QuerySet[StepAttempt, tuple[datetime, datetime]]:
    """When the first and the last of them ended, if there are any."""
    left = StepAttempt.objects.filter(UNSEARCHED).values(one=Value(1))
    found = left.annotate(first=Min("finished_at"), last=Max("finished_at"))
    return found.order_by().values_list("first", "last")


def reach() -> Reach:
    """How far the search reaches."""
    return next((Reach(first, last) for first, last in unsearched()), Reach(None, None))


@Read
def pieces(
    user: User, text: str, executions: tuple[UUID, ...]
) -> QuerySet[Execution, tuple[UUID, dict[str, Any] | None]]:
    """The first piece of each of these executions in which it is found, with the output around it.

    And how many pieces of the execution there are in which it is found.
    """
    segments = OutputSegment.objects.alias(reaches=F("offset") + F("length")).filter(
        attempt=OuterRef("attempt"), offset__lt=OuterRef("end"), reaches__gt=OuterRef("begin")
    )
    stored = JSONObject(offset="offset", data="data")
    near = ArraySubquery(segments.order_by("offset").values_list(stored))
    first = found(user, text).filter(execution=OuterRef("pk"))
    first = first.order_by("written_at", "attempt_id", "begin")
    first = first.annotate(near=near, found=Window(Count("*")))
    step = {name: f"attempt__step__{name}" for name in ("id", "title", "host")}
    attempt = {"attempt": "attempt__number", "size": "attempt__output_size"}
    hit = JSONObject(begin="begin", end="end", near="near", found="found", **step, **attempt)
    there = Execution.objects.filter(pk__in=executions).annotate(
        hit=Subquery(first.values_list(hit)[:1])
    )
    return there.order_by().values_list("pk", "hit")


def hits(user: User, text: str, executions: Iterable[UUID]) -> dict[UUID, Hit]:
    """Where each of these executions says it first."""
    found = pieces(user, text, tuple(executions))
    return {pk: _hit(piece, text) for pk, piece in found if piece}


def _hit(piece: Mapping[str, Any], text: str) -> Hit:
    line, at, lines = _line(_stored(piece), asked(text))
    phrase = text.strip().strip('"')
    shown = piece["size"] <= SOON and phrase.lower() in line.lower()
    return Hit(
        step=UUID(piece["id"]),
        title=piece["title"],
        host=piece["host"],
        attempt=piece["attempt"],
        line=line.strip()[:LINE],
        at=piece["begin"] + at,
        lines=lines,
        others=piece["found"] > 1,
        phrase=phrase if shown else "",
    )


def _stored(piece: Mapping[str, Any]) -> bytes:
    begin, end = piece["begin"], piece["end"]
    parts = []
    for segment in piece["near"]:
        stored = OutputSegment(data=bytes.fromhex(segment["data"].removeprefix("\\x")))
        begins = segment["offset"]
        parts.append(plain(stored)[max(0, begin - begins) : end - begins])
    return b"".join(parts)


def _line(data: bytes, wanted: Sequence[str]) -> tuple[str, int, int]:
    """The line with the most of it, the first of such; the byte where it begins; how many there are.

    Empty if none has any.
    """
    best, most, count, begin = ("", 0), 0, 0, 0
    finders = [finder(one) for one in wanted]
    for stored in data.split(b"\n"):
        line = uncoloured(stored.decode("utf-8", "replace"))
        text = folded(line)
        has = sum(1 for one in finders if one.search(text))
        if has > most:
            best, most, count = (line, begin), has, 0
        count += has == most > 0
        begin += len(stored) + 1
    return *best, count
