"""Output as bytes, a piece at a time, so that it need not fit into memory."""

from collections.abc import AsyncGenerator
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import connections

from cvdops.executions import output

PIECE = 1 << 20  # bytes of a download that are in memory at once


async def pieces(attempt: UUID, begin: int, end: int) -> AsyncGenerator[bytes, None]:
    """The bytes from `begin` to `end`. Between two pieces it holds no connection."""
    for offset in range(begin, end, PIECE):
        yield await _piece(attempt, offset, min(PIECE, end - offset))


def _read_piece(attempt: UUID, offset: int, length: int) -> bytes:
    try:
        return output.read(attempt, offset, length)
    finally:
        connections.close_all()


_piece = sync_to_async(_read_piece, thread_sensitive=False)
