"""Lists as files: CSV or JSON, sent as they are read, however long they are."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import StreamingHttpResponse

from cvdops.lib.spreadsheet import row

FORMATS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
HEADERS = {"Cache-Control": "no-store, no-transform", "Content-Encoding": "identity"}

Record = Mapping[str, object]
# The records of the next part, and where the one after it begins; no records: it was the last.
Part = tuple[Sequence[Record], int]
Read = Callable[[int], Part]


def export(name: str, kind: str, columns: Sequence[str], read: Read) -> StreamingHttpResponse:
    """A download. `kind` is one of FORMATS; `read` is called in a thread, from 0 on, and holds no connection.

    Should it raise, the answer breaks off, which the browser shows as a download that failed.
    """
    lines = _csv(columns, read) if kind == "csv" else _json(columns, read)
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return StreamingHttpResponse(lines, content_type=FORMATS[kind], headers=headers)


async def _csv(columns: Sequence[str], read: Read) -> AsyncIterator[bytes]:
    yield row(columns).encode()
    async for records in _parts(read):
        yield "".join(row(_cell(one[name]) for name in columns) for one in records).encode()


def _cell(value: object) -> object:
    """What stands in a table; what has parts as JSON, which every reader of tables can take apart."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


async def _json(columns: Sequence[str], read: Read) -> AsyncIterator[bytes]:
    yield b'{"items": ['
    comma = ""
    async for records in _parts(read):
        items = [json.dumps({name: one[name] for name in columns}) for one in records]
        yield (comma + ",".join(f"\n{item}" for item in items)).encode()
        comma = ","
    yield b"\n]}\n"


async def _parts(read: Read) -> AsyncIterator[Sequence[Record]]:
    position = 0
    while True:
        records, position = await sync_to_async(_read)(read, position)
        if not records:
            return
        yield records


def _read(read: Read, position: int) -> Part:
    try:
        return read(position)
    finally:
        connections.close_all()
