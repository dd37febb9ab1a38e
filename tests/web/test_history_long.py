"""A file of very many executions is sent as it is read: the memory that it takes does not grow with it."""

from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, connections

from cvdops.executions import records
from cvdops.executions.history import Wanted
from cvdops.lib.database import Connection
from cvdops.lib.exports import export
from tests.cast import person
from tests.web.world import World

GROWS = 50  # MB at most

# Copies of the one execution that there is, with other keys.
_COPY = """
INSERT INTO executions_execution
SELECT (jsonb_populate_record(e, jsonb_build_object(
         'id', lpad(to_hex(g), 12, '0') || '70008000000000000000',
         'number', nextval('execution_number'), 'reason', '=cmd' || g))).*
  FROM executions_execution e, generate_series(1, %s) AS g
"""


@pytest.mark.parametrize("kind", ["csv", "json"])
@pytest.mark.parametrize(
    "count", [2_500, pytest.param(100_000, marks=pytest.mark.faults)], ids=["some", "very many"]
)
def test_a_long_file_takes_no_memory(
    kind: str, count: int, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "close_all", lambda: None)
    monkeypatch.setattr(Connection, "patience", None)  # so many rows are long in the making
    world.start()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(_COPY, [count])
    answer = export(
        "executions",
        kind,
        records.EXECUTION,
        records.executions(person("auditor"), Wanted(), "csv", ""),
    )

    @async_to_sync
    async def lines() -> int:
        found = 0
        async for piece in answer:
            assert len(piece) < 2_000_000
            found += piece.count(b"'=cmd" if kind == "csv" else b'"=cmd')
        return found

    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins anew
    assert lines() == count
    assert memory("VmHWM") - before < GROWS


def memory(name: str) -> float:
    """MB of this process: what it has now, or had at most."""
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{name}:")[1].split()[0]) / 1024
