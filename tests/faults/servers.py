"""A PostgreSQL and a Redis of one test, which it may kill, freeze and start again."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from django.db import connection

from cvdops.catalog import queries
from cvdops.stack import redis
from cvdops.stack.parts import Part, Running, StartError
from cvdops.stack.placement import run_as
from cvdops.stack.postgres import Postgres
from tests import tables
from tests.faults.workers import database_url
from tests.waiting import PATIENCE, until


class Server:
    """One of the two, by its part."""

    run: Callable[[Part, Path], Running] = Running  # how its part is started

    def __init__(self, part: Part, log: Path, url: str) -> None:
        self.part = part
        self.log = log
        self.url = url
        self._running: Running | None = None

    def start(self) -> None:
        """Start it, again while what is left of a killed one is in its way; return when it answers."""

        def started() -> bool:
            self._running = self.run(self.part, self.log)
            try:
                self._running.wait_ready()
            except StartError:
                return False
            return True

        until(started, what=f"the start of {self.part.name}")

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.running.process.wait(PATIENCE)

    def stop(self) -> None:
        """As its administrator would."""
        self.signal(signal.SIGCONT)
        self.running.stop()

    def restart(self) -> None:
        self.kill()
        self.start()

    def freeze(self) -> None:
        self._everyone(signal.SIGSTOP)

    def thaw(self) -> None:
        self._everyone(signal.SIGCONT)

    @property
    def running(self) -> Running:
        assert self._running is not None
        return self._running

    def signal(self, number: int) -> None:
        """To the main process alone: children notice its end by themselves."""
        if self.running.alive():
            os.kill(self.running.process.pid, number)

    def _everyone(self, number: int) -> None:
        # PostgreSQL puts each of its children into a session of its own.
        pid = self.running.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in (pid, *map(int, children)):
            os.kill(one, number)


class Database(Server):
    """A PostgreSQL. Connections of this process are not older than its last start."""

    def __init__(self, postgres: Postgres, log: Path) -> None:
        super().__init__(postgres.part(), log, postgres.url)
        self.postgres = postgres

    def start(self) -> None:
        super().start()
        leave()


@contextmanager
def redis_server(folder: Path) -> Iterator[Server]:
    """An empty one."""
    server = Server(redis.part(folder), folder / "log", redis.url(folder))
    server.start()
    yield server
    server.stop()


def template(folder: Path) -> Path:
    """The data of a PostgreSQL with all tables, made once: a copy of it is there much sooner.

    Its tables are copied, too: migrations would take seconds. A standby can begin with it.
    """
    source = database_url()
    with postgres(folder, wal_level="replica") as server:
        program = server.postgres.programs / "pg_dump"
        dump = run_as(server.postgres.account, [str(program), "--no-sync", "--dbname", source])
        assert dump.returncode == 0, dump.stderr
        command = [str(program.with_name("psql")), "-qX", "-v", "ON_ERROR_STOP=1", server.url]
        read = run_as(server.postgres.account, command, dump.stdout)
        assert read.returncode == 0, read.stderr
        with at(server.url):
            tables.empty(None)
    return folder / "data"


@contextmanager
def postgres(folder: Path, data: Path | None = None, **options: str) -> Iterator[Database]:
    """One on a copy of these data, or an empty one. A commit is durable, unless the machine crashes."""
    folder.mkdir(mode=0o711)
    database = Postgres(folder / "data", folder / "sockets", {"fsync": "off", **options})
    if data is not None:
        copied(data, database.data)
    database.initialise()
    server = Database(database, folder / "log")
    server.start()
    try:
        yield server
    finally:
        server.stop()


def copied(data: Path, to: Path) -> None:
    """Put a copy of these data there, which belongs to the same account."""
    shutil.rmtree(to, ignore_errors=True)
    subprocess.run(["cp", "-a", data, to], check=True)


@contextmanager
def at(url: str) -> Iterator[None]:
    """Let this process work on another database."""
    parts = urlsplit(url)
    before = {name: connection.settings_dict[name] for name in ("HOST", "PORT", "NAME", "USER")}
    leave()
    connection.settings_dict |= {
        "HOST": dict(parse_qsl(parts.query)).get("host") or parts.hostname or "",
        "PORT": str(parts.port or ""),
        "NAME": parts.path.strip("/"),
        "USER": parts.username or "",
    }
    queries._parsed.cache_clear()  # versions are remembered by their number
    try:
        yield
    finally:
        leave()
        connection.settings_dict |= before
        queries._parsed.cache_clear()


def leave() -> None:
    """Let go of this process's connections."""
    connection.close()
    connection.close_pool()
