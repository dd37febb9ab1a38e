"""Two PostgreSQL servers: a primary and a hot standby that takes over when it is told to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from cvdops.stack.postgres import ROLE, Postgres
from tests.faults.servers import Server, copied, leave
from tests.waiting import until

REPLICATES = {
    "fsync": "off",
    "wal_level": "replica",
    "max_wal_senders": "4",
    "hot_standby": "on",
}


@dataclass
class Pair:
    """`url` names both: a client goes to the one that takes writes."""

    primary: Server
    standby: Server
    url: str

    def leave_behind(self) -> None:
        """From now on the standby hears nothing any more; all that was before, it has."""
        until(lambda: _behind(self.primary) == [False], what="a standby that has everything")
        with psycopg.connect(self.standby.url, autocommit=True) as admin:
            admin.execute("ALTER SYSTEM SET primary_conninfo = ''")
            admin.execute("SELECT pg_reload_conf()")
        until(lambda: not _behind(self.primary), what="the end of the replication")

    def fail_over(self) -> None:
        """The primary dies and never comes back; the standby takes over."""
        self.primary.kill()
        leave()
        with psycopg.connect(self.standby.url, autocommit=True) as admin:
            admin.execute("SELECT pg_promote(true, 30)")


@contextmanager
def pair(folder: Path, tables: Path, *, synchronous: bool) -> Iterator[Pair]:
    """A pair with all tables. `synchronous`: a commit waits until both have it."""
    options = REPLICATES | ({"synchronous_standby_names": "*"} if synchronous else {})
    first = Postgres(folder / "first", folder / "sockets-1", options)
    copied(tables, first.data)
    primary = Server(first.part(), folder / "first.log", first.url)
    primary.start()
    second = Postgres(folder / "second", folder / "sockets-2", REPLICATES)
    copied(tables, second.data)
    _follow(first, second)
    standby = Server(second.part(), folder / "second.log", second.url)
    standby.start()
    try:
        until(lambda: _behind(primary), what="the standby's connection")
        hosts = quote(f"{first.sockets},{second.sockets}", safe="")
        yield Pair(
            primary,
            standby,
            f"postgresql://{ROLE}@/{ROLE}?host={hosts}&target_session_attrs=read-write",
        )
    finally:
        standby.stop()
        primary.stop()


def _follow(source: Postgres, standby: Postgres) -> None:
    """Both begin with the same data; from then on it takes what the other writes."""
    (standby.data / "standby.signal").touch()
    where = f"host={source.sockets} user={ROLE}"
    with (standby.data / "postgresql.auto.conf").open("a") as file:
        file.write(f"primary_conninfo = '{where}'\n")


def _behind(primary: Server) -> list[bool]:
    """For each standby that is connected, whether it has not everything yet."""
    with psycopg.connect(primary.url) as admin:
        rows = admin.execute("SELECT pg_current_wal_lsn() <> replay_lsn FROM pg_stat_replication")
        return [behind for (behind,) in rows]
