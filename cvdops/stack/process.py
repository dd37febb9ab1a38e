"""Processes of this machine, told apart from later ones that were given the same number."""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
POLL = 0.05  # seconds between two looks at something that is waited for


@dataclass(frozen=True)
class Identity:
    """A process number with the moment it began: the number alone is given again after its end."""

    pid: int
    began: str

    def alive(self) -> bool:
        return _began(self.pid) == self.began

    def end(self, how: int = signal.SIGTERM, grace: float = 10) -> None:
        """Ask it to end, kill its process group after `grace` seconds; return when it is gone."""
        deadline = time.monotonic() + grace
        self._signal(how, group=False)
        while self.alive() and time.monotonic() < deadline:
            time.sleep(POLL)
        self._signal(signal.SIGKILL, group=True)
        while self.alive():
            time.sleep(POLL)

    def _signal(self, number: int, *, group: bool) -> None:
        if not self.alive():
            return
        with contextlib.suppress(ProcessLookupError):
            if group and os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)


def identify(pid: int) -> Identity | None:
    """The living process with this number, or None."""
    began = _began(pid)
    return Identity(pid, began) if began else None


def command(pid: int) -> list[str]:
    """The argument list of a process, empty when there is none."""
    try:
        return (PROC / str(pid) / "cmdline").read_text(errors="replace").split("\0")[:-1]
    except OSError:
        return _ps(pid, "args=").split()


def _began(pid: int) -> str:
    """When the process began, empty when there is none (a zombie counts as none)."""
    if not PROC.joinpath("self").exists():
        return _began_by_ps(pid)
    try:
        # The second field is the program's name in brackets and may hold anything.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    state, ticks = fields[0], fields[19]
    return "" if state in "ZX" else f"{ticks}@{_boot()}"


def _boot() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def _began_by_ps(pid: int) -> str:
    state, _, began = _ps(pid, "stat=,lstart=").partition(" ")
    return "" if state.startswith("Z") else began.strip()


def _ps(pid: int, columns: str) -> str:
    """For systems without /proc."""
    argv = ["ps", "-ww", "-o", columns, "-p", str(pid)]
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
