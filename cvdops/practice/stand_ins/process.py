"""A process that was started for good, told apart from later ones that were given its number."""

import json
import os
import select
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Running:
    """A process by number, start time (ticks since boot) and boot: numbers are given again."""

    pid: int
    ticks: int
    boot: str
    since: float  # seconds since 1970

    @classmethod
    def of(cls, pid: int) -> "Running":
        """The process that was just started."""
        return cls(pid, _ticks(pid), _boot(), time.time())

    @classmethod
    def read(cls, path: Path) -> "Running | None":
        """What `write` wrote; None if nothing of use is there."""
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, path: Path) -> None:
        part = path.with_name(f"{path.name}.part")
        part.write_text(json.dumps(asdict(self)))
        part.replace(path)

    def of_this_boot(self) -> bool:
        return self.boot == _boot()

    def alive(self) -> bool:
        return self.of_this_boot() and self.ticks != 0 and _ticks(self.pid) == self.ticks

    def memory(self) -> int:
        """The bytes that it holds; 0 when that cannot be read."""
        try:
            pages = (_PROC / str(self.pid) / "statm").read_text().split()[1]
        except OSError:
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def end(self, patience: float) -> bool:
        """TERM, and KILL after `patience` seconds; whether it is gone. Raises PermissionError."""
        try:
            fd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            for number in (signal.SIGTERM, signal.SIGKILL):
                if self.alive():  # asked while the descriptor holds the number
                    signal.pidfd_send_signal(fd, number)
                    select.select([fd], [], [], patience)
        except ProcessLookupError:
            return True
        finally:
            os.close(fd)
        return not self.alive()


def _ticks(pid: int) -> int:
    """When the process began; 0 if there is none, or only its remains."""
    try:
        # The second field is the program's name in brackets and may hold anything.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])


def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
