"""A real OpenSSH server on a high port of this machine, with keys and a user of its own.

Root makes a user for it; anybody else logs in as themselves.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cvdops.runners.ssh import Address, SshTransport
from cvdops.runners.ssh.known_hosts import HostKey, KnownHosts
from cvdops.runners.ssh.transport import SPOOL
from tests.ports import free_port
from tests.waiting import PATIENCE, until

PROGRAM = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin") or "sshd"
ALIAS = "host-1"


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in, and where their home is."""

    user: str
    home: Path


@contextmanager
def login(shell: str = "/bin/sh") -> Iterator[Login]:
    """A user of this machine, for as long as it is needed."""
    home = Path(tempfile.mkdtemp(prefix="cvdops-home-"))
    if os.geteuid() != 0:
        yield Login(pwd.getpwuid(os.geteuid()).pw_name, home)
        shutil.rmtree(home, ignore_errors=True)
        return
    name = f"cvdt{os.getpid()}{home.name[-4:].lower().replace('_', 'x')}"
    command = ("useradd", "-M", "-N", "-p", "*", "-s", shell, "-d", home, name)
    subprocess.run(command, check=True, capture_output=True)
    shutil.chown(home, name)
    try:
        yield Login(name, home)
    finally:
        _end_all_of(pwd.getpwnam(name).pw_uid)
        subprocess.run(["userdel", name], check=True, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)


def _end_all_of(uid: int) -> None:
    """Steps outlive their watchers, so those of a test that failed would stay."""

    def left() -> list[int]:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if folder.stat().st_uid == uid:
                    found.append(int(folder.name))
        return found

    def ended() -> bool:
        for pid in (pids := left()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not pids

    until(ended, what="the end of the test user's processes")


class Sshd:
    """A server for one user. `folder` is readable for root or the user alone."""

    def __init__(self, folder: Path, who: Login, *options: str, kind: str = "ed25519") -> None:
        self.folder = folder
        self.login = who
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(mode=0o700, exist_ok=True)
        for name, key in (("host", kind), ("user", "ed25519")):
            make_key(folder / name, key)
        # In the user's own name, because the server reads it with the rights of the user.
        self._authorized = who.home / f".cvdops-test-keys-{self.port}"
        self._authorized.write_text((folder / "user.pub").read_text())
        lines = (
            *(f"Port {self.port}", "ListenAddress 127.0.0.1", f"HostKey {folder}/host"),
            *("PidFile none", f"AuthorizedKeysFile {self._authorized}", "StrictModes no"),
            *("UsePAM no", "PasswordAuthentication no", "KbdInteractiveAuthentication no"),
            *(f"AllowUsers {who.user}", "PrintMotd no", "LogLevel VERBOSE"),
            *(f"SetEnv HOME={who.home}", *options),
        )
        (folder / "sshd_config").write_text("\n".join(lines) + "\n")

    @property
    def key(self) -> HostKey:
        return HostKey(*(self.folder / "host.pub").read_text().split()[:2])

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def start(self) -> "Sshd":
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self._process = subprocess.Popen(
            [PROGRAM, "-D", "-f", self.folder / "sshd_config", "-E", self.folder / "log"],
            stdin=subprocess.DEVNULL,
        )
        until(lambda: _listens(self.port), what=f"an SSH server on port {self.port}")
        return self

    def kill(self) -> None:
        """The server and all its sessions, at once. What they started lives on."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait(PATIENCE)
            self._process = None

    def restart(self) -> None:
        self.kill()
        self.start()

    def freeze(self) -> None:
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        self.thaw()
        self.kill()
        self._authorized.unlink(missing_ok=True)

    def processes(self) -> list[int]:
        """The server and its sessions, the children first."""
        found, pending = [], [self._process.pid] if self._process else []
        while pending:
            pid = pending.pop()
            if _name(pid) == "sshd":
                found.append(pid)
                pending += _children(pid)
        return found[::-1]

    def address(self, **changes: object) -> Address:
        fields = {"alias": ALIAS, "host": "127.0.0.1", "user": self.login.user, "port": self.port}
        return Address(**{**fields, "key": "test", **changes})  # type: ignore[arg-type]

    def installation(self, folder: Path) -> Path:
        """A folder of the portal in which the host is known and the key is there."""
        (folder / "keys").mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copy(self.folder / "user", folder / "keys" / "test")
        KnownHosts(folder).replace(ALIAS, [self.key])
        return folder

    def transport(
        self, folder: Path, spool: str = SPOOL, config: str = "", **changes: object
    ) -> SshTransport:
        """One that can log in, with an SSH configuration of the account if there is to be one."""
        installation = self.installation(folder)
        account = folder / "account"
        account.mkdir(mode=0o700, exist_ok=True)
        (account / "config").write_text(config)
        return SshTransport(
            self.address(**changes), installation, spool=spool, config=account / "config"
        )


@contextmanager
def ssh_server(
    *options: str, login_shell: str = "/bin/sh", kind: str = "ed25519"
) -> Iterator[Sshd]:
    """A running server with a user of its own."""
    with login(login_shell) as who, tempfile.TemporaryDirectory(prefix="cvdops-sshd-") as folder:
        server = Sshd(Path(folder), who, *options, kind=kind).start()
        try:
            yield server
        finally:
            server.stop()


def make_key(path: Path, kind: str = "ed25519") -> None:
    """A new pair of keys without a passphrase."""
    command = ("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "test", "-f", path)
    subprocess.run(command, check=True)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
