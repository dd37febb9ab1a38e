"""Full-text search over stored output: its words, piece by piece, by PostgreSQL's own index.

Workers write the words of an attempt when it is over (see `indexing`). Output is stored masked, so no
secret is found; what came back to requests is found only by those who may read it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db.models import F, Max, Min, Q, QuerySet

from cvdops.access import policy
from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.executions.models import OutputSegment, OutputWords, StepAttempt
from cvdops.executions.output import plain
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


def reach() -> Reach:
    """How far the search reaches."""
    left = StepAttempt.objects.filter(UNSEARCHED)
    ends = left.aggregate(first=Min("finished_at"), last=Max("finished_at"))
    return Reach(ends["first"], ends["last"])


def hits(user: User, text: str, executions: Iterable[UUID]) -> dict[UUID, Hit]:
    """Where each of these executions says it first."""
    pieces = found(user, text).filter(execution__in=list(executions))
    pieces = pieces.order_by("execution_id", "written_at", "attempt_id", "begin").distinct(
        "execution_id"
    )
    rows = list(pieces.select_related("attempt__step").defer("words"))
    lines = _lines(rows, looked_for(text))
    return {
        row.execution_id: Hit(
            row.attempt.step.key, row.attempt.step.title, row.attempt.step.host, line
        )
        for row, line in zip(rows, lines, strict=True)
    }


def _lines(rows: list[OutputWords], wanted: frozenset[str]) -> list[str]:
    if not rows:
        return []
    near = (Q(attempt=row.attempt_id, offset__lt=row.end, reaches__gt=row.begin) for row in rows)
    segments = OutputSegment.objects.alias(reaches=F("offset") + F("length"))
    by_attempt: dict[UUID, list[OutputSegment]] = {}
    for segment in segments.filter(reduce(or_, near)).order_by("attempt", "offset"):
        by_attempt.setdefault(segment.attempt_id, []).append(segment)
    return [_line(_text(row, by_attempt.get(row.attempt_id, ())), wanted) for row in rows]


def _text(row: OutputWords, segments: Iterable[OutputSegment]) -> str:
    parts = (plain(one)[max(0, row.begin - one.offset) : row.end - one.offset] for one in segments)
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
