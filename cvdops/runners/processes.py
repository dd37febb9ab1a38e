"""Processes of this machine: who they are beyond their number, and ending all that belongs to a job."""

import os
import select
import signal
import time
from dataclasses import dataclass
from pathlib import Path

MARKER = "CVDOPS_ATTEMPT"  # in the environment of everything that a job starts
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """A process by number and start time (clock ticks since boot): numbers are used again."""

    pid: int
    started: int

    @property
    def alive(self) -> bool:
        return identify(self.pid) == self


def boot_id() -> str:
    """The identity of this boot of the machine."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def parse_stat(stat: str) -> Process | None:
    """The process of a line of /proc/<pid>/stat."""
    head, _, tail = stat.rpartition(")")
    fields = tail.split()
    number = head.split(" ", 1)[0]
    if not number.isdecimal() or len(fields) < 20 or not fields[19].isdecimal():
        return None
    return Process(int(number), int(fields[19]))


def identify(pid: int) -> Process | None:
    """The process that has this number now; None if there is none, or only its remains."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    return None if stat.rpartition(")")[2].split()[0] == "Z" else parse_stat(stat)


def belonging_to(attempt: str, group: int) -> list[Process]:
    """Every live process that carries the attempt's marker or is in its process group."""
    needle = f"\0{MARKER}={attempt}\0".encode()
    found = []
    for entry in os.scandir(_PROC):
        if not entry.name.isdecimal():
            continue
        pid = int(entry.name)
        if _in_group(pid, group) or _carries(pid, needle):
            process = identify(pid)
            if process is not None:
                found.append(process)
    return found


def end_all(attempt: str, group: int, grace: float) -> list[Process]:
    """TERM, after `grace` seconds KILL, until nothing is left. Returns what is left all the same."""
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + patience
        told: set[Process] = set()
        while left := belonging_to(attempt, group):
            for process in left:
                if number is signal.SIGKILL or process not in told:
                    _signal(process, number)
                    told.add(process)
            if time.monotonic() >= deadline:
                break
            _await_end(left[0], min(0.1, deadline - time.monotonic()))
        if not left:
            return []
    return left


def _await_end(process: Process, timeout: float) -> None:
    try:
        fd = os.pidfd_open(process.pid)
    except OSError:
        return
    try:
        select.select([fd], [], [], max(timeout, 0))
    finally:
        os.close(fd)


def _signal(process: Process, number: signal.Signals) -> None:
    try:
        fd = os.pidfd_open(process.pid)
    except OSError:
        return
    try:
        if process.alive:  # after the descriptor is open the number cannot change its owner
            signal.pidfd_send_signal(fd, number)
    except OSError:
        return
    finally:
        os.close(fd)


def _in_group(pid: int, group: int) -> bool:
    try:
        return os.getpgid(pid) == group
    except OSError:
        return False


def _carries(pid: int, needle: bytes) -> bool:
    try:
        return needle in b"\0" + (_PROC / str(pid) / "environ").read_bytes() + b"\0"
    except OSError:
        return False
