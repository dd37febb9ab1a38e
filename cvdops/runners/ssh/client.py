"""The OpenSSH client of this machine: its folder, fixed options, arguments and environment.

Every option that matters stands in a file of our own before the account's configuration is read, and
OpenSSH takes the first value it finds. So they hold for the hosts in between as well.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from cvdops.runners import spool
from cvdops.runners.account import account
from cvdops.runners.job import RETRY, Reason, Unreachable
from cvdops.runners.ssh.address import Address

CONNECT_TIMEOUT = 8  # seconds for the TCP connection and the first words of the server
ALIVE = (5, 2)  # seconds between questions to a silent server, and how many without an answer
PERSIST = 60  # seconds that a connection without a channel stays open
KNOWN_HOSTS = "known_hosts"
_CONFIG = "config"
_FIXED = f"""\
BatchMode yes
StrictHostKeyChecking yes
GlobalKnownHostsFile none
UpdateHostKeys no
HashKnownHosts no
VerifyHostKeyDNS no
CheckHostIP no
NoHostAuthenticationForLocalhost no
ForwardAgent no
ForwardX11 no
Tunnel no
PermitLocalCommand no
RemoteCommand none
ClearAllForwardings yes
AddKeysToAgent no
ControlMaster no
ControlPath none
ControlPersist no
ServerAliveInterval {ALIVE[0]}
ServerAliveCountMax {ALIVE[1]}
ConnectTimeout {CONNECT_TIMEOUT}
ConnectionAttempts 1
NumberOfPasswordPrompts 0
EscapeChar none
RequestTTY no
LogLevel ERROR
"""


class Client:
    """Puts together how `ssh` is called. Its processes run in `folder`, so all paths are short."""

    def __init__(self, folder: Path, config: Path | None = None) -> None:
        self.folder = folder.absolute()
        self._config = config or Path(account().get("HOME", "/")) / ".ssh" / "config"

    def prepare(self, label: str) -> None:
        """Make the folder and its files if they are missing. Raises Unreachable."""
        if shutil.which("ssh", path=account()["PATH"]) is None:
            raise _unusable(label, "OpenSSH's client is not installed on the portal's machine.")
        try:
            for folder in (self.folder, self.folder / "keys"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder.chmod(0o700)
            self._write(self.folder / _CONFIG, self._text())
            spool.write_new(self.folder / KNOWN_HOSTS, "")
        except OSError as error:
            reason = error.strerror or str(error)
            raise _unusable(label, f"The folder {self.folder} cannot be used: {reason}.") from None

    def command(self, address: Address, *options: str) -> list[str]:
        """`ssh` up to and with the host."""
        return [
            *("ssh", "-F", _CONFIG, "-T", "-o", f"HostKeyAlias={address.alias}"),
            *options,
            *(("-o", f"UserKnownHostsFile={KNOWN_HOSTS}")),
            *(("-p", str(address.port)) if address.port else ()),
            *(("-l", address.user) if address.user else ()),
            *(("-i", f"keys/{address.key}", "-o", "IdentitiesOnly=yes") if address.key else ()),
            *(("-J", address.jump) if address.jump else ()),
            *("--", address.host),
        ]

    def run(self, command: Sequence[str], seconds: float) -> "subprocess.CompletedProcess[str]":
        """What it says within so many seconds. Raises OSError, subprocess.TimeoutExpired."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the portal's own but where the agent is."""
        agent = os.environ.get("SSH_AUTH_SOCK")
        own = account() | {"LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"}
        return own | {"SSH_AUTH_SOCK": agent} if agent else own

    def _text(self) -> str:
        known = _quoted(self._config.with_name("known_hosts"))
        return (
            f"Host *\n{_FIXED}"
            # of the hosts in between; for the target itself an argument says otherwise
            f"UserKnownHostsFile {KNOWN_HOSTS} {known.replace('%', '%%')}\n"
            f"Include {_quoted(self._config)}\n"
            "Host *\nSendEnv -*\n"  # adds to what stood before, so it has to come last
        )

    def _write(self, path: Path, text: str) -> None:
        if not path.is_file() or path.read_text() != text:
            spool.write(path, text)


def _quoted(path: Path) -> str:
    """A path in a configuration file; one that cannot be written there is as good as none."""
    text = str(path)
    return "/dev/null" if any(c in text for c in '"*?[\\\n') else f'"{text}"'


def _unusable(label: str, why: str) -> Unreachable:
    return Unreachable(label, Reason.CONFIGURATION, why, f"Mend it on the portal's machine{RETRY}")
