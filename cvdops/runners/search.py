"""Finding the processes that belong to a job, wherever they have hidden."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from cvdops.runners.job import MARKER, Process
from cvdops.runners.processes import Entry, entry, last_born
from cvdops.runners.wrapper import MARK

_KERNEL = 2  # the parent of the kernel's own threads
_BLANK_LOOKS = 20  # a process without an environment for as many looks really has none


class Search:
    """Members of a job: what carries its marker, holds its claim open, is in its leader's session, or
    descends from these.

    A process that does none of the four (a new session, an empty environment, descriptors closed, and a
    parent that has ended) cannot be told from others.
    """

    def __init__(self, attempt: str, leader: Process | None) -> None:
        """A leader is to be given only if it runs now: later its number may be somebody else's."""
        self._needle = f"\0{MARKER}={attempt}\0".encode()
        self._claim = re.compile(rf".*/{attempt}/pid(?: \(deleted\))?")
        self._leader = leader.pid if leader else None
        self._members: set[int] = set()
        self._strangers: set[int] = {os.getpid()}
        self._blank: Counter[int] = Counter()
        self.complete = False

    def everyone(self) -> list[Entry]:
        """All members, after a look at every process."""
        self._strangers = {os.getpid()}
        self._blank.clear()
        return self.newcomers()

    def newcomers(self) -> list[Entry]:
        """All members, after a look only at processes not known to be strangers: much quicker.

        Afterwards `complete` says that none can have been missed, because none was born meanwhile.
        """
        born, blank = last_born(), self._blank.total()
        found = self._look()
        self.complete = last_born() == born and self._blank.total() == blank
        return found

    def _look(self) -> list[Entry]:
        table = {one.pid: one for one in self._unknown()}
        found = {pid for pid, one in table.items() if self._belongs(one)}
        found |= set(_descendants(table.values(), found | self._members))
        self._members |= found
        self._strangers -= found
        return [table[pid] for pid in found]

    def _unknown(self) -> Iterator[Entry]:
        with os.scandir("/proc") as folders:
            numbers = {int(folder.name) for folder in folders if folder.name.isdecimal()}
        # The newest first: they are the ones that may be gone in a moment.
        for pid in sorted(numbers - self._strangers, reverse=True):
            one = entry(pid)
            if one is None:
                continue
            if one.ended or _KERNEL in (one.pid, one.parent):
                self._strangers.add(pid)
            else:
                yield one

    def _belongs(self, one: Entry) -> bool:
        if self._leader is not None and self._leader in (one.session, one.group):
            return True
        try:
            environment = Path(f"/proc/{one.pid}/environ").read_bytes()
        except FileNotFoundError:
            return False
        except OSError:  # another user's
            environment = b"?"
        if self._needle in b"\0" + environment + b"\0" or self._holds_claim(one):
            return True
        if not environment:  # so it looks in the moment in which it becomes another program
            self._blank[one.pid] += 1
        if environment or self._blank[one.pid] > _BLANK_LOOKS:
            self._strangers.add(one.pid)
        return False

    def _holds_claim(self, one: Entry) -> bool:
        try:
            held = Path(f"/proc/{one.pid}/fd/{MARK}").readlink()
        except OSError:  # it has no such descriptor, or is another user's
            return False
        return self._claim.fullmatch(str(held)) is not None


def _descendants(entries: Iterable[Entry], ancestors: set[int]) -> Iterator[int]:
    children: dict[int, list[int]] = {}
    for one in entries:
        children.setdefault(one.parent, []).append(one.pid)
    pending = list(ancestors)
    while pending:
        born = children.pop(pending.pop(), [])
        pending += born
        yield from born
