"""Output as it is stored: compressed segments in the order in which they came, and read back."""

from collections.abc import Iterable, Iterator
from uuid import UUID

import zstandard
from django.db.models import F, Min, Sum

from cvdops.executions.models import OutputSegment
from cvdops.executions.transitions import Hand, Superseded
from cvdops.lib.statements import prepared

BATCH = 16  # segments that are read at once
# What was not waited for is gone when the database crashes or another one takes over. Who goes on after that
# would leave a gap, so whoever writes names the piece that it has written last.
STORED = """EXISTS (
  SELECT 1 FROM executions_outputsegment WHERE attempt_id = %s AND "offset" = %s
)"""


def append(
    hand: Hand,
    attempt: UUID,
    offset: int,
    end: int,
    piece: bytes,
    *,
    before: int | None = None,
    durable: bool = False,
) -> int:
    """Store the next piece, which ends with byte `end` of the spool file. Its seq.

    `before` is where the last one began. Raises Superseded, also if that one is not there any more.
    """
    # One statement, committed without waiting for the disk: the spool file stays until the end state
    # of the attempt is durable, or until a segment is whose bytes are removed from it before.
    row = prepared(
        f"""
        WITH c AS (
          SELECT set_config('synchronous_commit', %s, true)
        ), e AS (
          UPDATE executions_execution SET seq = seq + 1 FROM c
           WHERE id = %s AND lease_token = %s
             AND {"TRUE" if before is None else STORED} RETURNING seq
        )
        INSERT INTO executions_outputsegment
          (attempt_id, "offset", length, source_end, execution_id, seq, data)
        SELECT %s, %s, %s, %s, %s, seq, %s FROM e RETURNING seq
        """,
        [
            "on" if durable else "off",
            hand.execution, hand.token, *(() if before is None else (attempt, before)),
            attempt, offset, len(piece), end, hand.execution,
            zstandard.compress(piece, 1),
        ],
    )  # fmt: skip
    if row is None:
        raise Superseded
    return int(row[0])


def segments(attempt: UUID, start: int = 0) -> Iterator[OutputSegment]:
    """Those that reach beyond `start`, a few at a time: all of them may not fit into memory."""
    found = OutputSegment.objects.filter(attempt_id=attempt).alias(end=F("offset") + F("length"))
    while True:
        batch = list(found.filter(end__gt=start).order_by("offset")[:BATCH])
        yield from batch
        if len(batch) < BATCH:
            return
        start = batch[-1].offset + batch[-1].length


def plain(segment: OutputSegment) -> bytes:
    """Its bytes, uncompressed."""
    return zstandard.decompress(bytes(segment.data))


def read(attempt: UUID, offset: int = 0, limit: int | None = None) -> bytes:
    """The stored output from a byte offset on, at most `limit` bytes."""
    return b"".join(stream(attempt, offset, limit))


def stream(attempt: UUID, offset: int = 0, limit: int | None = None) -> Iterator[bytes]:
    """The same in pieces, so that it need not fit into memory."""
    left = float("inf") if limit is None else limit
    for segment in segments(attempt, offset):
        data = plain(segment)[max(0, offset - segment.offset) :]
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


def written(execution: UUID) -> int:
    """Bytes stored so far of all attempts of an execution."""
    segments = OutputSegment.objects.filter(execution_id=execution)
    return int(segments.aggregate(sum=Sum("length"))["sum"] or 0)


def begin(attempt: UUID) -> int:
    """Where what is stored begins: not at 0 if it was written over months whose first were removed."""
    first = OutputSegment.objects.filter(attempt_id=attempt).order_by("offset").first()
    return first.offset if first else 0


def begins(attempts: Iterable[UUID]) -> dict[UUID, int]:
    """The same of each of these of which anything is stored."""
    found = OutputSegment.objects.filter(attempt__in=list(attempts)).order_by()
    return dict(found.values_list("attempt").annotate(Min("offset")))
