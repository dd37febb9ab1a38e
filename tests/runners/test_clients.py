"""The clients of databases read statements as the format does: none of what it allows is a command."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cvdops.runners.local import LocalTransport
from tests import databases
from tests.runners.bench import Bench
from tests.runners.conformance.kinds import of_sql
from tests.spec.test_sql import HARMLESS


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    transport = LocalTransport(tmp_path / "spool")
    transport.spool()
    bench = Bench(transport)
    yield bench
    bench.end()


def test_psql(bench: Bench, tmp_path: Path) -> None:
    with databases.postgresql() as place:
        done = bench.run("\n".join(HARMLESS), **of_sql(place, cwd=str(tmp_path)))
    assert done.code == 0, done.output.decode()
    assert not (tmp_path / "canary").exists()


def test_sqlite(bench: Bench, tmp_path: Path) -> None:
    """Each alone: many of them are no SQL of SQLite's."""
    place = databases.sqlite(tmp_path)
    for text in HARMLESS:
        bench.run(text, **of_sql(place, cwd=str(tmp_path)))
    assert not (tmp_path / "canary").exists()


def test_what_is_refused_would_have_been_a_command(bench: Bench, tmp_path: Path) -> None:
    """Otherwise the two above show nothing."""
    place = databases.sqlite(tmp_path)
    bench.run(".shell touch canary", **of_sql(place, cwd=str(tmp_path)))
    with databases.postgresql() as place:
        bench.run("\\! touch twin", **of_sql(place, cwd=str(tmp_path)))
    assert {path.name for path in tmp_path.iterdir()} >= {"canary", "twin"}
