"""The connection test: which step of reaching and using a host fails, and what to do about it."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from cvdops.runners.job import StartFailed, Unreachable
from cvdops.runners.ssh.known_hosts import KnownHosts
from cvdops.runners.ssh.scan import scan
from cvdops.runners.ssh.transport import SshTransport

_TIMEOUT = 5.0  # seconds for a name, or a connection without a word
_DRIFT = 5.0  # seconds that two clocks may differ
_KINDS_OF_MEMORY = ("tmpfs", "ramfs")


class Outcome(StrEnum):
    """How a step of the test ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"  # not tried


@dataclass(frozen=True, slots=True)
class Check:
    """One step of the test."""

    step: str
    outcome: Outcome
    sentence: str
    seconds: float


class _Failed(Exception):
    """This step failed. The text says why and what to do."""


class _Skip(Exception):
    """This step does not apply. The text says why."""


def probe(transport: SshTransport) -> Iterator[Check]:
    """All steps in order. After one without which the next make no sense, these are not tried."""
    obstacle = ""
    for title, step, needed in _STEPS:
        if obstacle:
            yield Check(title, Outcome.SKIPPED, f"Not tried, because of {obstacle}.", 0.0)
            continue
        before = time.monotonic()
        try:
            outcome, sentence = Outcome.OK, step(transport)
        except _Skip as skip:
            outcome, sentence = Outcome.SKIPPED, str(skip)
        except (_Failed, StartFailed) as failure:
            outcome, sentence = Outcome.FAILED, str(failure)
        except Unreachable as error:
            outcome, sentence = Outcome.FAILED, f"{error.why} {error.remedy}"
        yield Check(title, outcome, sentence, time.monotonic() - before)
        if needed and outcome is Outcome.FAILED:
            obstacle = title


def _name(transport: SshTransport) -> str:
    host, port = _direct(transport)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise _Failed(
            f"The name {host} does not resolve. Correct the address of the host or mend DNS."
        ) from None
    addresses = sorted({str(entry[4][0]) for entry in found})
    return f"{host} is {', '.join(addresses)}."


def _port(transport: SshTransport) -> str:
    host, port = _direct(transport)
    try:
        with socket.create_connection((host, port), timeout=_TIMEOUT):
            return f"Port {port} is open."
    except TimeoutError:
        reason = f"did not answer within {_TIMEOUT:g} s: is it up, does a firewall let it through?"
    except ConnectionRefusedError:
        reason = "is closed: start the SSH server there, or correct the port."
    except OSError as error:
        reason = f"cannot be reached: {error.strerror or error}."
    raise _Failed(f"Port {port} {reason}")


def _direct(transport: SshTransport) -> tuple[str, int]:
    """Name and port as the SSH configuration has them. Raises _Skip if another host is in between."""
    client, address = transport.client, transport.address
    client.prepare(address.label)
    shown = subprocess.run(
        client.command(address, "-G"),
        cwd=client.folder,
        env=client.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_TIMEOUT,
        check=False,
    )
    if shown.returncode != 0:
        raise _Failed(f"OpenSSH's configuration on the portal's machine is wrong: {shown.stderr}")
    settings = dict(line.split(" ", 1) for line in shown.stdout.splitlines() if " " in line)
    for word in ("proxyjump", "proxycommand"):
        if settings.get(word, "none") != "none":
            raise _Skip("It is reached through another host, which looks this up itself.")
    return settings["hostname"], int(settings["port"])


def _host_key(transport: SshTransport) -> str:
    shown = scan(transport.client, transport.address)
    pinned = KnownHosts(transport.client.folder).keys(transport.address.alias)
    prints = ", ".join(f"{key.fingerprint} ({key.kind})" for key in shown)
    if not pinned:
        raise _Failed(
            f"Nobody has confirmed its host key yet. It shows {prints}. "
            "Compare it with the host's own and confirm it."
        )
    both = [key.fingerprint for key in shown if key in pinned]
    if not both:
        raise _Failed(
            f"Its host key is NOT the one that was confirmed. It shows {prints}; confirmed is "
            f"{', '.join(key.fingerprint for key in pinned)}. Somebody may be listening in between: "
            "find out why it changed before anybody confirms the new one."
        )
    return f"It shows {both[0]}, which was confirmed."


def _login(transport: SshTransport) -> str:
    transport.link.master.ensure()
    return "The login was accepted."


def _tools(transport: SshTransport) -> str:
    hello = transport.link.hello()
    transport.check_tools()
    found = _ask(transport, "for t in bash python3 sqlite3 psql; do command -v $t; done")
    names = ", ".join(path.rpartition("/")[2] for path in found.split()) or "no more"
    return f"{hello.text('user')} gets a shell with everything a step needs; also there: {names}."


def _spool(transport: SshTransport) -> str:
    transport.spool()
    root = transport.link.hello().text("root")
    answer = _ask(
        transport,
        'new=$root/..probe.$$; echo >"$new" && rm -f -- "$new" && stat -f -c "%T %a %S" -- "$root"',
    ).split()
    if len(answer) != 3:
        raise _Failed(f"Nothing can be written to {root}. Make room or mend its permissions.")
    if answer[0] in _KINDS_OF_MEMORY:
        raise _Failed(f"{root} is in memory and lost with a restart. Choose a folder on a disk.")
    free = int(answer[1]) * int(answer[2]) >> 20
    return f"{root} can be written to; {free:,} MB are free."


def _sudo(transport: SshTransport) -> str:
    if _ask(transport, "command -v sudo && sudo -n true </dev/null && echo allowed").endswith(
        "allowed"
    ):
        return "sudo works without a password."
    raise _Failed(
        "sudo does not work without a password: steps that use it will fail. "
        "Allow the commands that they need in sudoers with NOPASSWD."
    )


def _clock(transport: SshTransport) -> str:
    before = time.time()
    there = _ask(transport, "date +%s")
    after = time.time()
    if not there.isdecimal() or len(there) > 12:
        raise _Failed("It does not tell the time. Install coreutils.")
    drift = max(before - 1 - int(there), int(there) - after, 0.0)
    if drift > _DRIFT:
        raise _Failed(f"Its clock differs by {drift:.0f} s from the portal's. Mend its NTP client.")
    return "Its clock agrees with the portal's."


def _survival(transport: SshTransport) -> str:
    """Whether a step outlives its connection."""
    said = _ask(
        transport,
        "busctl get-property org.freedesktop.login1 /org/freedesktop/login1 "
        "org.freedesktop.login1.Manager KillUserProcesses",
    )
    if said == "b true":
        user = transport.link.hello().text("user")
        raise _Failed(
            "Its systemd-logind ends all processes of a user with the last session "
            "(KillUserProcesses=yes): a step would not survive a lost connection. Set "
            f"KillUserProcesses=no or KillExcludeUsers={user} in logind.conf."
        )
    return "A step goes on when the connection is lost."


def _ask(transport: SshTransport, code: str) -> str:
    """The output of a constant piece of shell on the target."""
    answer = transport.link.ask(f'part said "$({code})"')
    return answer.text("said").strip()


_STEPS: tuple[tuple[str, Callable[[SshTransport], str], bool], ...] = (
    ("name", _name, True),
    ("port", _port, True),
    ("host key", _host_key, True),
    ("login", _login, True),
    ("shell and tools", _tools, True),
    ("spool", _spool, False),
    ("sudo", _sudo, False),
    ("clock", _clock, False),
    ("survival", _survival, False),
)
