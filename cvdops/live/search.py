"""Looking for words in the whole stored output of an attempt."""

from collections import deque
from dataclasses import dataclass
from uuid import UUID

from cvdops.executions import output
from cvdops.live.plain import is_plain, plain, whole_lines

LONGEST = 200  # characters of what is looked for
KEPT = 2_000  # lines that can be gone to


@dataclass(frozen=True, slots=True)
class Found:
    """How many lines hold the words, and where the newest of them begin, in bytes of the output."""

    words: str
    total: int
    hits: list[int]

    @property
    def passed_over(self) -> int:
        """How many lines before these cannot be gone to."""
        return self.total - len(self.hits)


def search(attempt: UUID, words: str) -> Found:
    """Lines whose shown text holds the words, whatever their case. Memory stays flat."""
    words = words.strip()[:LONGEST]
    wanted, begin, total = words.lower(), 0, 0
    hits: deque[int] = deque(maxlen=KEPT)
    if wanted:
        begin = output.begin(attempt)
        for data in whole_lines(output.stream(attempt, begin)):
            found = _in_lines(data, wanted)
            total += len(found)
            hits.extend(begin + start for start in found[-KEPT:])
            begin += len(data)
    return Found(words, total, list(hits))


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
