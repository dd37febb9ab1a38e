"""Looking for words in the whole stored output of an attempt, as far as the time for it reaches."""

import time
from collections import deque
from dataclasses import dataclass

from cvdops.executions import output
from cvdops.executions.models import StepAttempt
from cvdops.live.plain import is_plain, plain, whole_lines

LONGEST = 200  # characters of what is looked for
KEPT = 2_000  # lines that can be gone to
SECONDS = 20.0  # that one search takes at most: for outputs of a gigabyte, or made to be slow


@dataclass(frozen=True, slots=True)
class Found:
    """How many lines hold the words, and where the newest of them begin, in bytes of the output.

    `end`: the byte up to which it was looked for. `cut`: the time did not suffice for all of it. `lines`: how
    many lines were there to look at, if the attempt goes on and may write more.
    """

    words: str
    total: int
    hits: list[int]
    end: int
    cut: bool = False
    lines: int | None = None

    @property
    def until(self) -> int | None:
        """As far as it was looked for, if the time did not suffice for all of it."""
        return self.end if self.cut else None

    @property
    def passed_over(self) -> int:
        """How many lines before these cannot be gone to."""
        return self.total - len(self.hits)

    @property
    def reached(self) -> str:
        """As far as it was looked for in what is still being written; empty if that was all there will be."""
        if self.lines is None:
            return ""
        return f"as far as line {self.lines:,}" if self.lines else "nothing was written yet"


def search(attempt: StepAttempt, words: str) -> Found:
    """Lines whose shown text holds the words, whatever their case. Memory stays flat."""
    words = words.strip()[:LONGEST]
    wanted, begin, total, lines, rest = words.lower(), 0, 0, 0, False
    hits: deque[int] = deque(maxlen=KEPT)
    if wanted:
        begin = output.begin(attempt.pk)
        ends = time.monotonic() + SECONDS
        for data in whole_lines(output.stream(attempt.pk, begin)):
            if time.monotonic() > ends:
                return Found(words, total, list(hits), begin, cut=True)
            found = _in_lines(data, wanted)
            total += len(found)
            hits.extend(begin + start for start in found[-KEPT:])
            begin += len(data)
            lines, rest = lines + data.count(b"\n"), not data.endswith(b"\n")
    # As the attempt was before its output was read: it may have ended meanwhile, and have written more.
    going = attempt.finished_at is None
    return Found(words, total, list(hits), begin, lines=lines + rest if going else None)


def _in_lines(data: bytes, wanted: str) -> list[int]:
    """Where the lines begin that hold it."""
    text = plain(data).lower()
    same = is_plain(data)
    starts: list[int] = []
    start = counted = 0
    at = text.find(wanted)
    while at >= 0:
        if same:
            start = text.rfind("\n", 0, at) + 1
        else:  # what is shown has other offsets than what is stored, but the same lines
            for _ in range(text.count("\n", counted, at)):
                start = data.index(b"\n", start) + 1
            counted = at
        starts.append(start)
        end = text.find("\n", at)
        at = text.find(wanted, end + 1) if end >= 0 else -1
    return starts
