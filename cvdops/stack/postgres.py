"""The embedded PostgreSQL: how its data folder is made, how it is started, its address."""

import shutil
import signal
from pathlib import Path
from urllib.parse import quote

from cvdops.stack.parts import Part, StartError
from cvdops.stack.placement import (
    account_for,
    private_folder,
    reachable_data,
    reachable_programs,
    run_as,
)
from cvdops.stack.process import command, identify

ROLE = "cvdops"
# Small memory, one machine: no replication, no helper processes that nothing here needs.
OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "io_method": "sync",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_wal_size": "256MB",
    "jit": "off",
    "timezone": "UTC",
}
# For tests: a crash of the machine may lose everything.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def url(sockets: Path, database: str = ROLE) -> str:
    return f"postgresql://{ROLE}@/{database}?host={quote(str(sockets), safe='')}"


class Postgres:
    """One data folder and one folder for its socket; nothing listens on the network."""

    def __init__(self, data: Path, sockets: Path, options: dict[str, str] | None = None) -> None:
        self.sockets = sockets
        self.options = OPTIONS | (options or {})
        self.account = account_for(data)
        self.data = reachable_data(data, self.account)
        self.programs = reachable_programs(self.account, self.data.parent)
        private_folder(sockets, self.account)

    @property
    def url(self) -> str:
        return url(self.sockets)

    def initialised(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    def initialise(self) -> None:
        """Make the data folder; StartError when another version of PostgreSQL left it."""
        if self.initialised():
            return self._refuse_other_version()
        # Whole or not at all: a start that is killed here must not leave half a database.
        draft = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        private_folder(draft, self.account)
        self._initdb(draft)
        draft.replace(self.data)
        return None

    def part(self) -> Part:
        settings = {**self.options, "unix_socket_directories": str(self.sockets)}
        return Part(
            name="postgres",
            argv=[
                *[str(self.programs / "postgres"), "-D", str(self.data)],
                *[word for name, value in settings.items() for word in ("-c", f"{name}={value}")],
            ],
            ready=self._ready,
            account=self.account,
            stop_signal=signal.SIGINT,  # fast shutdown: connections are cut, nothing is lost
        )

    def end_orphan(self) -> bool:
        """End a PostgreSQL that outlived its supervisor, so that ours may have the data folder.

        A stale pid file whose number now belongs to another process is removed: PostgreSQL would
        take that process for itself and refuse to start.
        """
        pid = next(iter(self._pid_file()), "")
        running = identify(int(pid)) if pid.isdecimal() else None
        if running is None:
            return False
        words = command(running.pid)
        ours = "postgres" in Path(words[0]).name and str(self.data) in words if words else False
        if ours:
            running.end(signal.SIGINT, grace=30)
        else:
            (self.data / "postmaster.pid").unlink(missing_ok=True)
        return ours

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _ready(self, pid: int) -> bool:
        # The eighth line is the state; the file may be that of an earlier process.
        lines = self._pid_file()
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _refuse_other_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != "18":
            raise StartError(
                f"The data in {self.data} was written by PostgreSQL {found}, this is 18: "
                "move it away, or set DATABASE_URL to a server of that version."
            )

    def _initdb(self, folder: Path) -> None:
        # A local connection needs the closed socket folder: `trust` asks for no more than that.
        words = [
            *[str(self.programs / "initdb"), "-D", str(folder), "--username", ROLE],
            *["--auth", "trust", "--encoding", "UTF8", "--locale-provider", "builtin"],
            *["--builtin-locale", "C.UTF-8", "--locale", "C", "--no-instructions"],
            *(["--no-sync"] if self.options.get("fsync") == "off" else []),
        ]
        made = run_as(self.account, words)
        if made.returncode == 0:
            words = [str(self.programs / "postgres"), "--single", "-D", str(folder), "postgres"]
            made = run_as(self.account, words, f"CREATE DATABASE {ROLE}\n")
        if made.returncode:
            reason = made.stderr.strip().splitlines() or ["no reason given"]
            raise StartError(f"PostgreSQL cannot make its data folder {self.data}: {reason[-1]}")
