"""Writing the words of output into the index of the search: by a thread of each worker, after a step is over.

It takes no more than half of one core's time, never waits for another worker, and takes a long output in
portions: each is committed with its words, so memory and transactions stay short, and what ended later
comes before the rest of it.
"""

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import Error, connection, transaction

from cvdops.executions import output
from cvdops.executions.leases import HOLDS
from cvdops.executions.models import OutputWords, StepAttempt
from cvdops.executions.output import plain
from cvdops.executions.search import UNSEARCHED
from cvdops.lib.process import release
from cvdops.lib.words import spelled, words
from cvdops.spec.document import Kind

log = logging.getLogger(__name__)

EVERY = 5.0  # seconds between two looks for what is over
PIECE = 64 << 10  # bytes of output whose words are looked for together
PORTION = 4 << 20  # bytes of an output that are looked through in one transaction


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines of an output from the byte `begin` on, and when the first of them were stored."""

    begin: int
    data: bytes
    written_at: datetime


class Indexer(threading.Thread):
    """One thread of a worker process."""

    def __init__(self) -> None:
        super().__init__(name="indexer", daemon=True)

    def run(self) -> None:
        pause = EVERY
        while not HOLDS.draining.wait(pause):
            began, more = time.monotonic(), False
            try:
                more = index_one()
            except Error as error:
                log.warning("The database is away: %s", error)
            finally:
                connection.close()
            if more:
                release()
            pause = time.monotonic() - began if more else EVERY


def index_one() -> bool:
    """Write the next words of the attempt that ended last of those not in the index. False if there is none."""
    with transaction.atomic():
        due = StepAttempt.objects.filter(UNSEARCHED).order_by("-finished_at")
        due = due.select_for_update(skip_locked=True, of=("self",)).select_related("step")
        attempt = due.first()
        if attempt is None:
            return False
        begin = at = _known(attempt)
        for piece in _pieces(attempt, begin):
            _write(attempt, piece)
            at = piece.begin + len(piece.data)
            if at >= begin + PORTION:
                return True
        StepAttempt.objects.filter(pk=attempt.pk).update(searched=True)
    return True


def _known(attempt: StepAttempt) -> int:
    """Up to which byte its words are in the index."""
    last = OutputWords.objects.filter(attempt=attempt.pk).order_by("-begin").first()
    return last.end if last else output.begin(attempt.pk)


def _write(attempt: StepAttempt, piece: Piece) -> None:
    text = spelled(piece.data.decode("utf-8", "replace"))
    OutputWords.objects.create(
        attempt=attempt,
        begin=piece.begin,
        end=piece.begin + len(piece.data),
        execution_id=attempt.step.execution_id,
        answer=attempt.step.kind == Kind.HTTP,
        written_at=piece.written_at,
        words=sorted(words(text)),
        text=text,
    )


def _pieces(attempt: StepAttempt, begin: int) -> Iterator[Piece]:
    """The output from that byte on, cut at the ends of lines; a longer line between two words of it."""
    at, data = begin, b""
    written_at = None
    for segment in output.segments(attempt.pk, begin):
        written_at = written_at or segment.created_at
        data += plain(segment)[max(0, begin - segment.offset) :]
        while len(data) >= PIECE:
            cut = data.rfind(b"\n", 0, PIECE) + 1 or data.rfind(b" ", 0, PIECE) + 1 or PIECE
            yield Piece(at, data[:cut], written_at)
            at, data, written_at = at + cut, data[cut:], segment.created_at
    if data and written_at:
        yield Piece(at, data, written_at)
