"""The connection test: which step of reaching and using a host fails, and what to do about it."""

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence

from cvdops.runners.account import PATH
from cvdops.runners.checks import (
    ASK_LOGIND,
    ENDED_WITH_SESSION,
    MISSING,
    NO_SUDO,
    Check,
    Doubtful,
    Failed,
    Skip,
    Steps,
    all_there,
    carried_out,
    room,
)
from cvdops.runners.ssh import private_key
from cvdops.runners.ssh.diagnosis import clean
from cvdops.runners.ssh.known_hosts import HostKey, KnownHosts
from cvdops.runners.ssh.quoting import words
from cvdops.runners.ssh.scan import scan
from cvdops.runners.ssh.transport import SshTransport

_TIMEOUT = 5.0  # seconds for a name, or a connection without a word
_DRIFT = 5.0  # seconds that two clocks may differ


class SshProbe:
    """A test of a host behind SSH; `tools` are commands that should be there, in this search path."""

    def __init__(
        self, transport: SshTransport, tools: Sequence[str] = (), path: str = PATH
    ) -> None:
        self.transport = transport
        self.tools = tools
        self.path = path
        self.keys: Sequence[HostKey] = ()

    def __iter__(self) -> Iterator[Check]:
        return carried_out(_STEPS, self)

    def close(self) -> None:
        self.transport.close()


def _name(probe: SshProbe) -> str:
    host, port = _direct(probe.transport)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise Failed(
            f"The name {host} does not resolve. Correct the address of the host or mend DNS."
        ) from None
    addresses = sorted({str(entry[4][0]) for entry in found})
    return f"{host} is {', '.join(addresses)}."


def _port(probe: SshProbe) -> str:
    host, port = _direct(probe.transport)
    try:
        with socket.create_connection((host, port), timeout=_TIMEOUT):
            return f"Port {port} is open."
    except TimeoutError:
        reason = f"did not answer within {_TIMEOUT:g} s: is it up, does a firewall let it through?"
    except ConnectionRefusedError:
        reason = "is closed: start the SSH server there, or correct the port."
    except OSError as error:
        reason = f"cannot be reached: {error.strerror or error}."
    raise Failed(f"Port {port} {reason}")


def _direct(transport: SshTransport) -> tuple[str, int]:
    """Name and port as the SSH configuration has them. Raises Skip if another host is in between."""
    client, address = transport.client, transport.address
    client.prepare(address.label)
    try:
        shown = client.run(client.command(address, "-G"), _TIMEOUT)
    except subprocess.TimeoutExpired:
        raise Failed("OpenSSH's configuration on the portal's machine takes too long.") from None
    if shown.returncode != 0:
        why = clean(shown.stderr)
        raise Failed(f"OpenSSH's configuration on the portal's machine is wrong: {why}.")
    settings = dict(line.split(" ", 1) for line in shown.stdout.splitlines() if " " in line)
    for word in ("proxyjump", "proxycommand"):
        if settings.get(word, "none") != "none":
            raise Skip("It is reached through another host, which looks this up itself.")
    return settings["hostname"], int(settings["port"])


def _host_key(probe: SshProbe) -> str:
    transport = probe.transport
    probe.keys = shown = scan(transport.client, transport.address)
    pinned = KnownHosts(transport.client.folder).keys(transport.address.alias)
    prints = ", ".join(f"{key.fingerprint} ({key.kind})" for key in shown)
    if not pinned:
        raise Failed(
            f"Nobody has confirmed its host key yet. It shows {prints}. "
            "Compare it with the host's own and confirm it."
        )
    both = [key.fingerprint for key in shown if key in pinned]
    if not both:
        raise Failed(
            f"Its host key is NOT the one that was confirmed. It shows {prints}; confirmed is "
            f"{', '.join(key.fingerprint for key in pinned)}. Somebody may be listening in between: "
            "find out why it changed before anybody confirms the new one."
        )
    return f"It shows {both[0]}, which was confirmed."


def _private_key(probe: SshProbe) -> str:
    return private_key.look(probe.transport.client, probe.transport.address)


def _login(probe: SshProbe) -> str:
    probe.transport.link.master.ensure()
    return "The login was accepted."


def _shell(probe: SshProbe) -> str:
    hello = probe.transport.link.hello()
    probe.transport.check_tools()
    found = _ask(probe, "for t in bash python3 sqlite3 psql; do command -v $t; done")
    names = ", ".join(path.rpartition("/")[2] for path in found.split()) or "no more"
    return f"{hello.text('user')} gets a shell with everything a step needs; also there: {names}."


def _sudo(probe: SshProbe) -> str:
    if _ask(probe, "command -v sudo && sudo -n true </dev/null && echo allowed").endswith(
        "allowed"
    ):
        return "sudo works without a password."
    raise Doubtful(NO_SUDO)


def _tools(probe: SshProbe) -> str:
    look = f"PATH={words(probe.path)} /bin/sh -c {words(MISSING, 'sh', *probe.tools)}"
    return all_there(probe.tools, _ask(probe, look).split())


def _spool(probe: SshProbe) -> str:
    probe.transport.spool()
    write = (
        'new=$root/..probe.$$; echo >"$new" && rm -f -- "$new" && stat -f -c "%T %a %S" -- "$root"'
    )
    return room(probe.transport.link.hello().text("root"), _ask(probe, write))


def _clock(probe: SshProbe) -> str:
    before = time.time()
    there = _ask(probe, "date +%s")
    after = time.time()
    if not there.isdecimal() or len(there) > 12:
        raise Failed("It does not tell the time. Install coreutils.")
    drift = max(before - 1 - int(there), int(there) - after, 0.0)
    if drift > _DRIFT:
        raise Doubtful(
            f"Its clock differs by {drift:.0f} s from the portal's. Mend its NTP client."
        )
    return "Its clock agrees with the portal's."


def _survival(probe: SshProbe) -> str:
    """Whether a step outlives its connection."""
    if _ask(probe, " ".join(ASK_LOGIND)) == "b true":
        user = probe.transport.link.hello().text("user")
        raise Doubtful(ENDED_WITH_SESSION.format("a lost connection", user))
    return "A step goes on when the connection is lost."


def _ask(probe: SshProbe, code: str) -> str:
    """The output of a piece of shell on the target; what it takes from outside is quoted."""
    answer = probe.transport.link.ask(f'part said "$({code})"')
    return answer.text("said").strip()


_STEPS: Steps[SshProbe] = (
    ("name", _name, True),
    ("port", _port, True),
    ("host key", _host_key, True),
    ("private key", _private_key, True),
    ("login", _login, True),
    ("shell", _shell, True),
    ("sudo", _sudo, False),
    ("tools", _tools, False),
    ("spool", _spool, False),
    ("clock", _clock, False),
    ("survival", _survival, False),
)
TITLES = tuple(title for title, _, _ in _STEPS)
