"""Databases for tests of `sql`: an SQLite file, and the PostgreSQL of the test run behind a port."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cvdops.runners.account import PATH
from cvdops.stack.placement import account_for, reachable_programs
from tests.proxy import Proxy


@dataclass(frozen=True, slots=True)
class Place:
    """A database as an environment names it, and where its client is found."""

    kind: str  # sqlite | postgresql
    location: str
    path: str = PATH


def sqlite(folder: Path) -> Place:
    """A new one, which everybody on this machine may write to."""
    path = folder / "orders.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, status TEXT)")
        database.execute("INSERT INTO orders VALUES (1, 'new'), (2, 'done'), (3, 'new')")
    path.chmod(0o666)
    return Place("sqlite", str(path))


@contextmanager
def postgresql() -> Iterator[Place]:
    """The test run's own, for a user who may not come near its socket."""
    folder = Path(os.environ["CVDOPS_TEST_FOLDER"])
    programs = reachable_programs(account_for(folder / "postgres"), folder)
    proxy = Proxy(str(folder / "sockets/.s.PGSQL.5432"))
    try:
        location = f"postgresql://cvdops@127.0.0.1:{proxy.port}/cvdops?sslmode=disable"
        yield Place("postgresql", location, f"{programs}:{PATH}")
    finally:
        proxy.close()
