"""One thread for each host looks at all jobs there that somebody waits for.

A young job is looked at often, an old one less so: the delay stays a small part of its age. Looking
costs the target one external command for all jobs together.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from cvdops.runners.job import NEVER, Process, Unreachable
from cvdops.runners.ssh.link import Link
from cvdops.runners.ssh.look import Look, read_look, read_sizes
from cvdops.runners.ssh.quoting import call

_SHORTEST, _LONGEST = 0.001, 0.1  # seconds between two looks
_PART = 8  # of its age: how long a job is left alone
_LOAD = (
    4  # a look is followed by a pause of so many times its duration at least, if it was for many
)
_IDLE = 10.0  # seconds after which a thread without work ends
ALONE, SHARED = 4 << 20, 1 << 16  # bytes of output in one look


class Watched(Protocol):
    """A job that can be looked at."""

    attempt: str
    process: Process | None
    seen_at: float  # monotonic; when it was looked at last
    changed_at: float  # monotonic; when it was last different

    def see(self, look: Look, offset: int, asked_at: float) -> None:
        """Take in what the target said; `asked_at` is monotonic."""

    def differs(self, look: Look) -> bool:
        """Whether a closer look is worth it."""


@dataclass(slots=True, eq=False)
class _Watch:
    job: Watched
    offset: int
    signal: int  # an eventfd

    @property
    def due(self) -> float:
        quiet = (
            (self.job.seen_at - self.job.changed_at) / _PART if self.offset < NEVER else _LONGEST
        )
        return self.job.seen_at + min(max(quiet, _SHORTEST), _LONGEST)


class Watcher:
    """Signals the eventfds of those who wait."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._watches: set[_Watch] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._rest = 0.0  # monotonic: not before

    @contextmanager
    def watching(self, job: Watched, offset: int) -> Iterator[int]:
        """An eventfd that is readable after a look at the job."""
        watch = _Watch(job, offset, os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC))
        with self._changed:
            self._watches.add(watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ssh-watch", daemon=True)
                self._thread.start()
            self._changed.notify()
        try:
            yield watch.signal
        finally:
            with self._changed:
                self._watches.discard(watch)
                os.close(watch.signal)

    def _run(self) -> None:
        while batch := self._next():
            began = time.monotonic()
            try:
                self._look(batch)
            except Unreachable:
                self._rest = time.monotonic() + self._link.patience
            else:
                now = time.monotonic()
                self._rest = now + _LOAD * (now - began) if len(batch) > 1 else 0.0
            with self._changed:
                for watch in batch:
                    if watch in self._watches:
                        os.eventfd_write(watch.signal, 1)

    def _next(self) -> list[_Watch]:
        """Those whose turn it is, when it is; none after a long time without any."""
        with self._changed:
            while True:
                now = time.monotonic()
                turn = max(self._rest, min((one.due for one in self._watches), default=now + _IDLE))
                if self._watches and turn <= now:
                    return [one for one in self._watches if one.due <= now]
                told = self._changed.wait(turn - now)
                if not told and not self._watches:
                    self._thread = None
                    return []

    def _look(self, batch: list[_Watch]) -> None:
        if len(batch) == 1:
            self._look_closely(batch, ALONE)
            return
        answer = self._link.ask(call("sizes", *_names(batch)))
        boot = self._link.hello().text("boot")
        sizes = read_sizes(answer, [(one.job.attempt, one.job.process) for one in batch], boot)
        closer = []
        for watch in batch:
            if watch.job.differs(sizes[watch.job.attempt]):
                closer.append(watch)
            else:
                watch.job.seen_at = time.monotonic()
        self._look_closely(closer, SHARED)

    def _look_closely(self, batch: list[_Watch], limit: int) -> None:
        asked_at = time.monotonic()
        requests = [look_request(one.job, one.offset, limit) for one in batch]
        answers = self._link.ask_all(requests) if requests else []
        boot = self._link.hello().text("boot") if requests else ""
        for watch, answer in zip(batch, answers, strict=True):
            watch.job.see(read_look(answer, watch.job.process, boot), watch.offset, asked_at)


def look_request(job: Watched, offset: int, limit: int) -> str:
    """Ask how a job stands and for its output from an offset on."""
    return call("look", job.attempt, job.process.pid if job.process else "", offset, limit)


def _names(batch: list[_Watch]) -> list[str | int]:
    return [
        word
        for one in batch
        for word in (one.job.attempt, one.job.process.pid if one.job.process else "")
    ]
