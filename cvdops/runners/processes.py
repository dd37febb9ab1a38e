"""Processes of this machine: who they are beyond their number, and which belong to a job."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cvdops.runners.job import MARKER, Process

_PROC = Path("/proc")
_STARTED = 19  # field 22 of /proc/<pid>/stat, counted from the first after the name


@cache
def boot_id() -> str:
    """The identity of this boot of the machine."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


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
        return parse((_PROC / str(pid) / "stat").read_text(errors="replace"))
    except OSError:
        return None


def alive(process: Process) -> bool:
    """Whether just this process still runs."""
    now = entry(process.pid) if process.boot_id == boot_id() else None
    return now is not None and now.started == process.started and not now.ended


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


def everyone() -> dict[int, Entry]:
    """All processes that run now, by number."""
    found = (entry(int(path.name)) for path in _PROC.iterdir() if path.name.isdecimal())
    return {one.pid: one for one in found if one is not None and not one.ended}


def members(attempt: str, leader: Process | None) -> list[Entry]:
    """Whatever carries the attempt's marker, is in the leader's session, or descends from these.

    A leader is to be given only if it ran when the search began.
    """
    table = everyone()
    needle = f"\0{MARKER}={attempt}\0".encode()
    found = {
        pid
        for pid, one in table.items()
        if (leader is not None and leader.pid in (one.session, one.group)) or _carries(pid, needle)
    }
    found |= set(_descendants(table, found))
    return [table[pid] for pid in found - {os.getpid()}]


def _descendants(table: dict[int, Entry], ancestors: set[int]) -> Iterator[int]:
    children: dict[int, list[int]] = {}
    for one in table.values():
        children.setdefault(one.parent, []).append(one.pid)
    pending, seen = list(ancestors), set(ancestors)
    while pending:
        for child in children.get(pending.pop(), ()):
            if child not in seen:
                seen.add(child)
                pending.append(child)
                yield child


def _carries(pid: int, needle: bytes) -> bool:
    try:
        return needle in b"\0" + (_PROC / str(pid) / "environ").read_bytes() + b"\0"
    except OSError:  # ended meanwhile, or of another user
        return False
