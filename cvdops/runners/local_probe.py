"""The test of this machine as a host: whether steps can run here, and go on without their worker."""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from cvdops.runners import spool
from cvdops.runners.account import PATH, account
from cvdops.runners.checks import (
    ASK_LOGIND,
    ENDED_WITH_SESSION,
    MISSING,
    NO_SUDO,
    Check,
    Doubtful,
    Failed,
    Steps,
    all_there,
    carried_out,
    room,
)
from cvdops.runners.ssh.known_hosts import HostKey

_TIMEOUT = 10.0  # seconds for a command
_CONTAINERS = (Path("/.dockerenv"), Path("/run/.containerenv"))


class LocalProbe:
    """A test of this machine, with the spool at `root`; `tools` should be there, in this path."""

    keys: Sequence[HostKey] = ()

    def __init__(self, root: Path, tools: Sequence[str] = (), path: str = PATH) -> None:
        self.root = root
        self.tools = tools
        self.path = path

    def __iter__(self) -> Iterator[Check]:
        return carried_out(_STEPS, self)

    def close(self) -> None:
        """It holds nothing."""


def _shell(probe: LocalProbe) -> str:
    missing = _missing(probe, ("bash", "sh"))
    if missing:
        raise Failed(f"{', '.join(missing)} is not installed on the machine of the worker.")
    return f"Steps run as {account().get('USER', 'the user')} of the worker, in bash and sh."


def _sudo(probe: LocalProbe) -> str:
    if _run("sudo", "-n", "true", path=probe.path) is not None:
        return "sudo works without a password."
    raise Doubtful(NO_SUDO)


def _tools(probe: LocalProbe) -> str:
    return all_there(probe.tools, _missing(probe, probe.tools))


def _spool(probe: LocalProbe) -> str:
    spool.identify(probe.root)
    try:
        spool.write(probe.root / ".probe", "")
        (probe.root / ".probe").unlink(missing_ok=True)
    except OSError as error:
        raise spool.not_writable(probe.root, error) from None
    return room(str(probe.root), _run("stat", "-f", "-c", "%T %a %S", "--", str(probe.root)) or "")


def _survival(_: LocalProbe) -> str:
    if any(path.exists() for path in _CONTAINERS):
        raise Doubtful(
            "The worker is in a container: a step here ends when the container is replaced. "
            "Let steps that matter run over SSH."
        )
    if _run(*ASK_LOGIND) == "b true":
        user = account().get("USER", "")
        raise Doubtful(ENDED_WITH_SESSION.format("the end of the session", user))
    return "A step goes on without its worker; a systemd unit needs KillMode=process for that."


def _missing(probe: LocalProbe, names: Sequence[str]) -> list[str]:
    said = _run("/bin/sh", "-c", MISSING, "sh", *names, path=probe.path)
    if said is None:
        raise Failed("/bin/sh does not work on the machine of the worker.")
    return said.split()


def _run(*command: str, path: str = PATH) -> str | None:
    """What a command says; None if it fails or there is none."""
    try:
        done = subprocess.run(
            command,
            env={**account(), "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


_STEPS: Steps[LocalProbe] = (
    ("shell", _shell, True),
    ("sudo", _sudo, False),
    ("tools", _tools, False),
    ("spool", _spool, False),
    ("survival", _survival, False),
)
TITLES = tuple(title for title, _, _ in _STEPS)
