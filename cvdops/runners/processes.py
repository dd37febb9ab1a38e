"""Processes of this machine: who they are beyond their number."""

import os
from dataclasses import dataclass
from functools import cache

from cvdops.runners.job import Process

BUSY = "RDT"  # states
_STARTED = 19  # field 22 of /proc/<pid>/stat, counted from the first after the name


@cache
def boot_id() -> str:
    """The identity of this boot of the machine."""
    return _read("/proc/sys/kernel/random/boot_id").decode().strip()


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table of processes. The start time tells apart two with the same number."""

    pid: int
    started: int
    state: str
    parent: int
    group: int
    session: int

    @property
    def ended(self) -> bool:
        """Only its remains are there, for its parent to collect."""
        return self.state in "ZX"

    @property
    def busy(self) -> bool:
        """It has something to do, or is kept from doing it."""
        return self.state in BUSY


def _read(path: str) -> bytes:
    # A process is looked up many times for each job: this takes a third of the time of pathlib.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


def parse(stat: str) -> Entry | None:
    """The entry of a line of /proc/<pid>/stat; None if it is none."""
    head, _, tail = stat.rpartition(")")  # the name before it may contain anything
    fields = tail.split()
    try:
        numbers = [int(text) for text in (head.split(" ", 1)[0], *fields[1:4], fields[_STARTED])]
    except (IndexError, ValueError):
        return None
    pid, parent, group, session, started = numbers
    return Entry(pid, started, fields[0], parent, group, session)


def entry(pid: int) -> Entry | None:
    """The process that has this number now."""
    try:
        return parse(_read(f"/proc/{pid}/stat").decode(errors="replace"))
    except OSError:
        return None


def alive(process: Process) -> bool:
    """Whether just this process still runs."""
    now = entry(process.pid) if process.boot_id == boot_id() else None
    return now is not None and now.started == process.started and not now.ended


def children(pid: int) -> list[Entry]:
    """The processes that this one has started and that are there still."""
    try:
        numbers = _read(f"/proc/{pid}/task/{pid}/children").split()
    except OSError:
        return []
    return [one for number in numbers if (one := entry(int(number)))]


def open_alive(process: Process) -> int | None:
    """A descriptor that is readable once this process has ended; None if it has."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        return None
    if alive(process):  # looked at with the descriptor open: the number cannot pass on any more
        return descriptor
    os.close(descriptor)
    return None


def last_born() -> str:
    """Changes whenever a process is born on this machine."""
    return _read("/proc/loadavg").decode().split()[4]
