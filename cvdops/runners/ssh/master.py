"""The one connection to a host, shared by all channels of all workers on this machine."""

import hashlib
import os
import socket
import subprocess
import tempfile
from contextlib import suppress

from cvdops.runners.job import RETRY, Reason, Unreachable
from cvdops.runners.ssh.address import Address
from cvdops.runners.ssh.client import CONNECT_TIMEOUT, PERSIST, Client
from cvdops.runners.ssh.diagnosis import diagnose, silent
from cvdops.runners.ssh.known_hosts import KnownHosts
from cvdops.runners.turns import turn

_LOGIN_TIMEOUT = 12  # seconds for everything from the first packet to a login, jumps included
_TURN = 2 * (CONNECT_TIMEOUT + _LOGIN_TIMEOUT) + 5.0  # seconds: longer than another one connects
_CLOSING = 2.0  # seconds for the word to end it
_KILLED = 1.0  # seconds for the end of what was killed
_SAID = 65536  # bytes of what OpenSSH says that are looked at


class Master:
    """An `ssh` in the background that owns the connection; it ends when nobody has used it for a while."""

    def __init__(self, client: Client, address: Address) -> None:
        self._client = client
        self._address = address
        # Another address or key is another connection, although the host is the same.
        self.socket = "m-" + hashlib.sha256(repr(address).encode()).hexdigest()[:16]

    def ensure(self) -> None:
        """Connect unless there is a connection. Raises Unreachable."""
        self._client.prepare(self._address.label)
        if self._answers():
            return
        try:
            with turn(f"{self._client.folder}/{self.socket}.lock", _TURN):
                if not self._answers():
                    self._start()
        except TimeoutError:
            if not self._answers():
                raise self._occupied() from None

    def _occupied(self) -> Unreachable:
        return Unreachable(
            self._address.label,
            Reason.TIMEOUT,
            f"For {_TURN:g} s another worker of this machine has been connecting to it, without an end.",
            f"Look whether a worker here hangs or was stopped, and end it{RETRY}",
        )

    def abandon(self) -> None:
        """Leave a connection that is silent: the next `ensure` makes another.

        Its `ssh` ends by itself, when it finds out or nobody uses it any more.
        """
        with suppress(OSError):
            (self._client.folder / self.socket).unlink()

    def close(self) -> None:
        """End the connection and with it all channels."""
        with suppress(OSError, subprocess.TimeoutExpired):
            exits = self._client.command(self._address, "-S", self.socket, "-O", "exit")
            self._client.run(exits, _CLOSING)

    def _start(self) -> None:
        self.abandon()  # what is left of one that was killed would keep the new one from listening
        options = ("-M", "-S", self.socket, "-f", "-N")
        code, said = self._run(*options, "-o", f"ControlPersist={PERSIST}")
        if code != 0 and self._address.jump:
            # A connection that shall persist keeps to itself what hosts in between complain of.
            said += self._run("-S", "none", "-N", "-o", "PreferredAuthentications=none")[1]
        if code != 0:
            pinned = KnownHosts(self._client.folder).keys(self._address.alias)
            raise diagnose(self._address, said, [key.fingerprint for key in pinned])

    def _run(self, *options: str) -> tuple[int, str]:
        """The exit code of `ssh` and what it said. Raises Unreachable if it takes too long."""
        level = ("-o", "LogLevel=DEBUG1")  # says which host key is shown; ends with the start
        with tempfile.TemporaryFile() as said:  # a pipe would stay open in the background
            ssh = subprocess.Popen(
                self._client.command(self._address, *options, *level),
                cwd=self._client.folder,
                env=self._client.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
            try:
                code = ssh.wait(CONNECT_TIMEOUT + _LOGIN_TIMEOUT)
            except subprocess.TimeoutExpired:
                ssh.kill()
                with suppress(subprocess.TimeoutExpired):
                    ssh.wait(_KILLED)
                raise silent(self._address) from None
            said.seek(0)
            return code, said.read(_SAID).decode(errors="replace")

    def _answers(self) -> bool:
        """Whether a process listens at the socket. A path relative to the folder is short enough."""
        folder = os.open(self._client.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                probe.setblocking(False)
                probe.connect(f"/proc/self/fd/{folder}/{self.socket}")
                return True
        except OSError:
            return False
        finally:
            os.close(folder)
