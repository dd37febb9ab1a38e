"""Output: masked, compressed, stored in the order in which it came, and read back."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import zstandard
from django.db.models import F

from cvdops.executions.hints import announce
from cvdops.executions.models import OutputSegment
from cvdops.executions.statements import prepared
from cvdops.executions.transitions import Hand, Superseded
from cvdops.lib.redaction import Masker
from cvdops.lib.text import complete_utf8

SEGMENT = 1 << 20  # pending bytes that are stored at once; read no more than this before storing
BATCH = 16  # segments that are read at once
PAUSE = 0.05  # seconds between two segments of a stream that goes on


@dataclass(slots=True)
class Recorder:
    """Stores the output of one attempt. `source` counts the spool file's bytes, `offset` the stored ones."""

    hand: Hand
    attempt: UUID
    masker: Masker
    offset: int = 0
    source: int = 0  # of the spool file, read so far
    _pending: bytearray = field(default_factory=bytearray)
    _stored_at: float = 0.0
    _hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def resume(self) -> None:
        """Go on where the stored output of this attempt ends."""
        for segment in _segments(self.attempt):
            data = _plain(segment)
            self._hash.update(data)
            self.offset = segment.offset + segment.length
            self.source = segment.source_end

    def feed(self, raw: bytes) -> None:
        """Take the next bytes of the spool file."""
        self.source += len(raw)
        self._pending += self.masker.feed(raw)

    @property
    def due(self) -> float:
        """Seconds until what is pending should be stored; 0 for now, infinite for nothing pending."""
        if not self._pending:
            return float("inf")
        if len(self._pending) >= SEGMENT:
            return 0.0
        return max(0.0, self._stored_at + PAUSE - time.monotonic())

    def store(self) -> None:
        """Store what is pending up to the last whole character. Raises Superseded."""
        whole = complete_utf8(bytes(self._pending))
        if whole:
            self._insert(whole, held=len(self._pending) - len(whole) + self.masker.held)
            del self._pending[: len(whole)]

    def finish(self) -> None:
        """Store everything that is left: no more will come."""
        self._pending += self.masker.flush()
        if self._pending:
            self._insert(bytes(self._pending), held=0)
            self._pending.clear()

    @property
    def digest(self) -> str:
        """SHA-256 of everything stored, in hex."""
        return self._hash.hexdigest()

    def _insert(self, data: bytes, held: int) -> None:
        seq = _append(self.hand, self.attempt, self.offset, self.source - held, data)
        self._hash.update(data)
        self.offset += len(data)
        self._stored_at = time.monotonic()
        announce(self.hand.execution, seq)


def _append(hand: Hand, attempt: UUID, offset: int, end: int, piece: bytes) -> int:
    # One statement, committed without waiting for the disk: the spool file stays until the end state
    # of the attempt is durable.
    row = prepared(
        """
        WITH c AS (
          SELECT set_config('synchronous_commit', 'off', true)
        ), e AS (
          UPDATE executions_execution SET seq = seq + 1 FROM c
           WHERE id = %s AND lease_token = %s RETURNING seq
        )
        INSERT INTO executions_outputsegment
          (attempt_id, "offset", length, source_end, execution_id, seq, data)
        SELECT %s, %s, %s, %s, %s, seq, %s FROM e RETURNING seq
        """,
        [
            hand.execution, hand.token, attempt, offset, len(piece), end, hand.execution,
            zstandard.compress(piece, 1),
        ],
    )  # fmt: skip
    if row is None:
        raise Superseded
    return int(row[0])


def _segments(attempt: UUID, start: int = 0) -> Iterator[OutputSegment]:
    """Those that reach beyond `start`, a few at a time: all of them may not fit into memory."""
    found = OutputSegment.objects.filter(attempt_id=attempt).alias(end=F("offset") + F("length"))
    while True:
        batch = list(found.filter(end__gt=start).order_by("offset")[:BATCH])
        yield from batch
        if len(batch) < BATCH:
            return
        start = batch[-1].offset + batch[-1].length


def _plain(segment: OutputSegment) -> bytes:
    return zstandard.decompress(bytes(segment.data))


def read(attempt: UUID, offset: int = 0, limit: int | None = None) -> bytes:
    """The stored output from a byte offset on, at most `limit` bytes."""
    return b"".join(stream(attempt, offset, limit))


def stream(attempt: UUID, offset: int = 0, limit: int | None = None) -> Iterator[bytes]:
    """The same in pieces, so that it need not fit into memory."""
    left = float("inf") if limit is None else limit
    for segment in _segments(attempt, offset):
        data = _plain(segment)[max(0, offset - segment.offset) :]
        piece = data[: int(min(len(data), left))]
        left -= len(piece)
        if piece:
            yield piece
        if left <= 0:
            return


def size(attempt: UUID) -> int:
    """Bytes stored so far."""
    last = OutputSegment.objects.filter(attempt_id=attempt).order_by("-offset").first()
    return last.offset + last.length if last else 0
