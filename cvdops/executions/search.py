"""Full-text search over stored output: its words, piece by piece, by PostgreSQL's own index.

Workers write the words of an attempt when it is over (see `indexing`). Output is stored masked, so no
secret is found; what came back to requests is found only by those who may read it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import SearchQuery
from django.db.models import F, Max, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import JSONObject

from cvdops.access import policy
from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.executions.models import Execution, OutputSegment, OutputWords, StepAttempt
from cvdops.executions.output import plain
from cvdops.lib.together import Fixed, Read
from cvdops.lib.words import asked, looked_for, uncoloured, words

CONFIG = "simple"  # every word counts, as it is written: output is no prose
LINE = 300  # characters of a line that is shown

UNSEARCHED = Q(finished_at__isnull=False, output_size__gt=0, searched=False)


@dataclass(frozen=True, slots=True)
class Reach:
    """When the first and the last step ended whose output is not searched yet; None: there is no such step."""

    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Hit:
    """Where it was found: the step, and its first line with what was looked for."""

    step: str
    title: str
    host: str
    line: str


def query(text: str) -> SearchQuery | None:
    """None if there is no word in what was asked."""
    said = asked(text)
    return SearchQuery(said, config=CONFIG, search_type="websearch") if said else None


def found(user: User, text: str) -> QuerySet[OutputWords]:
    """The pieces of output in which this person finds it."""
    wanted = query(text)
    if wanted is None:
        return OutputWords.objects.none()
    return OutputWords.objects.filter(_readable(user), words=wanted)


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
    """The first piece of each of these executions in which it is found, with the output around it."""
    segments = OutputSegment.objects.alias(reaches=F("offset") + F("length")).filter(
        attempt=OuterRef("attempt"), offset__lt=OuterRef("end"), reaches__gt=OuterRef("begin")
    )
    stored = JSONObject(offset="offset", data="data")
    near = ArraySubquery(segments.order_by("offset").values_list(stored))
    first = found(user, text).filter(execution=OuterRef("pk"))
    first = first.order_by("written_at", "attempt_id", "begin").annotate(near=near)
    step = {name: f"attempt__step__{name}" for name in ("key", "title", "host")}
    hit = JSONObject(begin="begin", end="end", near="near", **step)
    there = Execution.objects.filter(pk__in=executions).annotate(
        hit=Subquery(first.values_list(hit)[:1])
    )
    return there.order_by().values_list("pk", "hit")


def hits(user: User, text: str, executions: Iterable[UUID]) -> dict[UUID, Hit]:
    """Where each of these executions says it first."""
    wanted = looked_for(text)
    return {
        pk: Hit(piece["key"], piece["title"], piece["host"], _line(_text(piece), wanted))
        for pk, piece in pieces(user, text, tuple(executions))
        if piece
    }


def _text(piece: Mapping[str, Any]) -> str:
    begin, end = piece["begin"], piece["end"]
    parts = []
    for segment in piece["near"]:
        stored = OutputSegment(data=bytes.fromhex(segment["data"].removeprefix("\\x")))
        begins = segment["offset"]
        parts.append(plain(stored)[max(0, begin - begins) : end - begins])
    return uncoloured(b"".join(parts).decode("utf-8", "replace"))


def _line(text: str, wanted: frozenset[str]) -> str:
    """The line with the most of the words, the first of such; empty if none has any."""
    best, most = "", 0
    for line in text.splitlines():
        has = len(wanted.intersection(words(line[: 10 * LINE])))
        if has > most:
            best, most = line, has
        if most == len(wanted):
            break
    return best.strip()[:LINE]
