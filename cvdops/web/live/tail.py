"""The newest lines of an attempt's output, and a terminal that goes on where they end."""

from dataclasses import dataclass
from uuid import UUID

from cvdops.executions import output
from cvdops.executions.models import StepAttempt
from cvdops.executions.partitions import removed_after
from cvdops.web.live.answers import WITHHELD
from cvdops.web.live.terminal import Line, Terminal

LINES = 2_000
PAGE_BYTES = 256 << 10  # what a page shows at most
LOOK_BACK = 64 << 10  # where the line in progress and the colours are looked for
COUNTED = 16 << 20  # lines are numbered as long as there are no more bytes than this before them


@dataclass(frozen=True, slots=True)
class Tail:
    """What a page shows of an output. `first` is the number of the first line, 0 if not counted."""

    attempt: UUID
    lines: list[Line]
    begin: int
    end: int
    first: int
    instead: str = ""  # why nothing of it is shown, as a sentence


def tail(of: StepAttempt) -> Tail:
    """The last lines of what is stored now."""
    attempt, size = of.pk, output.size(of.pk)
    if of.output_size and not size:
        return Tail(attempt, [], 0, 0, 0, removed(of))
    begin = max(0, size - PAGE_BYTES)
    data = output.read(attempt, begin, size - begin)
    begin, data = newest_lines(begin, data, whole=begin == 0)
    return Tail(
        attempt, Terminal(begin).feed(data), begin, begin + len(data), _number(attempt, begin)
    )


def withheld(of: StepAttempt) -> Tail:
    """The same for somebody who may not read it."""
    return Tail(of.pk, [], 0, output.size(of.pk), 0, WITHHELD)


def removed(attempt: StepAttempt) -> str:
    """What became of the output of an attempt that wrote something of which nothing is there."""
    months = removed_after(attempt)
    when = f" after {months} month{'s'[: months != 1]}" if months else ""
    return f"Its output was removed{when}: {attempt.output_size:,} bytes."


def terminal_at(attempt: UUID, offset: int) -> Terminal:
    """A terminal that has shown everything up to this byte."""
    begin = max(0, offset - LOOK_BACK)
    data = output.read(attempt, begin, offset - begin)
    if begin:
        start = data.find(b"\n") + 1  # nothing found: a line so long is cut where it may be
        begin, data = begin + start, data[start:]
    terminal = Terminal(begin)
    terminal.feed(data)
    return terminal


def newest_lines(begin: int, data: bytes, *, whole: bool) -> tuple[int, bytes]:
    """The part of the data that is shown, from the start of a line on, and where it begins."""
    start = 0 if whole else data.find(b"\n") + 1
    if data.count(b"\n", start) > LINES:
        end = len(data)
        for _ in range(LINES + 1):
            end = data.rfind(b"\n", 0, end)
        start = end + 1
    return begin + start, data[start:]


def _number(attempt: UUID, begin: int) -> int:
    if begin == 0:
        return 1
    if begin > COUNTED:
        return 0
    return 1 + sum(piece.count(b"\n") for piece in output.stream(attempt, 0, begin))
