"""The part of an attempt's output that a page shows, and a terminal that goes on where it ends."""

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import F, Max, Min

from cvdops.executions import output
from cvdops.executions.models import OutputSegment, StepAttempt
from cvdops.executions.partitions import removed_after
from cvdops.live.answers import WITHHELD
from cvdops.web.live.terminal import Line, Terminal

LINES = 2_000
PAGE_BYTES = 256 << 10  # what a page shows at most
ABOVE = 200  # lines that are shown before one that was asked for
LOOK_BACK = 64 << 10  # where the line in progress and the colours are looked for
COUNTED = 16 << 20  # lines are numbered as long as there are no more bytes than this before them
_BYTE = re.compile("[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Tail:
    """What a page shows of an output, `begin` to `end` of `size` bytes.

    `first` is the number of the first line, 0 if not counted.
    """

    attempt: UUID
    lines: list[Line]
    begin: int
    end: int
    first: int
    size: int
    oldest: int = 0  # where what is stored begins
    marked: int = -1  # where the line begins that was asked for
    instead: str = ""  # why nothing of it is shown, as a sentence
    times: tuple[tuple[int, datetime], ...] = ()  # when what begins at a byte was stored

    def time(self, line: Line) -> str:
        """When the beginning of a line was stored; empty if nobody asked for times."""
        index = bisect_right(self.times, line.start, key=lambda pair: pair[0])
        return clock(self.times[index - 1][1]) if index else ""


def clock(at: datetime) -> str:
    """A time of day in UTC, to a tenth of a second."""
    return f"{at:%H:%M:%S}.{at.microsecond // 100_000}"


def excerpt(of: StepAttempt, query: Mapping[str, str]) -> Tail:
    """The part that a query asks for: `at`, `before` or `after` a byte, else the newest; `times` too."""
    oldest, size = _extent(of.pk)
    if of.output_size and not size:
        return Tail(of.pk, [], 0, 0, 0, 0, instead=removed(of))
    shown = _part(Tail(of.pk, [], oldest, size, 0, size, oldest), query)
    return replace(shown, times=_times(shown)) if query.get("times") else shown


def tail(of: StepAttempt) -> Tail:
    """The last lines of what is stored now."""
    return excerpt(of, {})


def withheld(of: StepAttempt) -> Tail:
    """The same for somebody who may not read it."""
    _, size = _extent(of.pk)
    return Tail(of.pk, [], 0, size, 0, size, instead=WITHHELD)


def _extent(attempt: UUID) -> tuple[int, int]:
    """Where what is stored begins and ends, in bytes."""
    found = OutputSegment.objects.filter(attempt_id=attempt)
    row = found.aggregate(begin=Min("offset"), end=Max(F("offset") + F("length")))
    return row["begin"] or 0, row["end"] or 0


def _part(whole: Tail, query: Mapping[str, str]) -> Tail:
    for name, part in (("at", _around), ("before", _before), ("after", _after)):
        if _BYTE.fullmatch(query.get(name, "")):
            return part(whole, min(max(int(query[name]), whole.oldest), whole.size))
    return _before(whole, whole.size)


def _before(whole: Tail, end: int) -> Tail:
    begin = max(whole.oldest, end - PAGE_BYTES)
    data = output.read(whole.attempt, begin, end - begin)
    begin, data = newest_lines(begin, data, whole=begin == whole.oldest)
    return _shown(whole, begin, data)


def _after(whole: Tail, begin: int) -> Tail:
    data = output.read(whole.attempt, begin, PAGE_BYTES)
    end = _end_of_line(data, LINES)
    if end == len(data) and begin + end < whole.size:
        end = data.rfind(b"\n") + 1 or len(data)
    return _shown(whole, begin, data[:end])


def _around(whole: Tail, byte: int) -> Tail:
    above = max(whole.oldest, byte - LOOK_BACK)
    data = output.read(whole.attempt, above, byte - above)
    marked = above + data.rfind(b"\n") + 1
    begin, _ = newest_lines(above, data[: marked - above], whole=above == whole.oldest, most=ABOVE)
    return replace(_after(whole, begin), marked=marked)


def _end_of_line(data: bytes, number: int) -> int:
    """Where the line of this number ends, or all of it."""
    end = 0
    for _ in range(number):
        end = data.find(b"\n", end) + 1
        if not end:
            return len(data)
    return end


def _shown(whole: Tail, begin: int, data: bytes) -> Tail:
    lines = terminal_at(whole.attempt, begin).feed(data)
    first = _number(whole.attempt, begin) if whole.oldest == 0 else 0
    return replace(whole, lines=lines, begin=begin, end=begin + len(data), first=first)


def _times(shown: Tail) -> tuple[tuple[int, datetime], ...]:
    found = OutputSegment.objects.filter(attempt_id=shown.attempt, offset__lt=shown.end)
    found = found.alias(end=F("offset") + F("length")).filter(end__gt=shown.begin)
    return tuple(found.order_by("offset").values_list("offset", "created_at"))


def removed(attempt: StepAttempt) -> str:
    """What became of the output of an attempt that wrote something of which nothing is there."""
    months = removed_after(attempt)
    when = f" after {months} month{'s'[: months != 1]}" if months else ""
    return f"Its output was removed{when}: {attempt.output_size:,} bytes."


def terminal_at(attempt: UUID, offset: int) -> Terminal:
    """A terminal that has shown everything up to this byte."""
    begin = max(0, offset - LOOK_BACK)
    data = output.read(attempt, begin, offset - begin) if offset else b""
    if begin:
        start = data.find(b"\n") + 1  # nothing found: a line so long is cut where it may be
        begin, data = begin + start, data[start:]
    terminal = Terminal(begin)
    terminal.feed(data)
    return terminal


def newest_lines(begin: int, data: bytes, *, whole: bool, most: int = LINES) -> tuple[int, bytes]:
    """The part of the data that is shown, from the start of a line on, and where it begins."""
    start = 0 if whole else data.find(b"\n") + 1
    if data.count(b"\n", start) > most:
        end = len(data)
        for _ in range(most + 1):
            end = data.rfind(b"\n", 0, end)
        start = end + 1
    return begin + start, data[start:]


def _number(attempt: UUID, begin: int) -> int:
    if begin == 0:
        return 1
    if begin > COUNTED:
        return 0
    return 1 + sum(piece.count(b"\n") for piece in output.stream(attempt, 0, begin))
