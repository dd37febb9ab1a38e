"""A job that was claimed on another machine: its output, its end, its result."""

import os
import select
import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from cvdops.runners import verdict
from cvdops.runners.handle import Claim
from cvdops.runners.job import Lost, Process, Result, StopReport, Unreachable, Vanished, Wakeup
from cvdops.runners.ssh import members
from cvdops.runners.ssh.link import Link
from cvdops.runners.ssh.look import Look, read_look
from cvdops.runners.ssh.quoting import call
from cvdops.runners.ssh.watcher import ALONE, Watcher, look_request

_FRESH = 0.05  # seconds in which what was seen is news
_TICK = 1.0  # seconds between two looks whether the connection is there
_PATIENCE = 1.0  # seconds: a connection that is back within them was not lost


class SshHandle:
    """A job directory over there, watched."""

    def __init__(self, link: Link, watcher: Watcher, attempt: str, claim: Claim | None) -> None:
        """Raises Unreachable."""
        self.attempt = attempt
        self.process: Process | None = claim.process if claim else None
        self.seen_at = self.changed_at = time.monotonic()
        self._cwd = claim.cwd if claim else ""
        self._link = link
        self._account = link.account()
        self._watcher = watcher
        self._lock = threading.Lock()
        self._look = Look(running=claim is not None)
        self._data, self._at = b"", 0  # output that came with the last look, and where it begins
        self._ended_at: float | None = None  # when it was first seen that the command is over
        self._cut = False  # the output has become shorter
        self._told = False  # whether the watcher knows that the connection is lost

    @property
    def lost(self) -> Lost | None:
        return self._link.lost

    @property
    def size(self) -> int:
        return self._look.size

    @property
    def short(self) -> bool:
        return "short" in self._look.files

    def see(self, look: Look, offset: int, asked_at: float) -> None:
        with self._lock:
            if look.size < self._look.size and asked_at < self.seen_at:
                return  # another thread has seen a later look meanwhile: nothing was cut
            self.seen_at = time.monotonic()
            if self.differs(look) or look.size != self._look.size:
                self.changed_at = self.seen_at
            self._cut = self._cut or look.size < self._look.size
            if look.ended is not None and not look.at_work and self._ended_at is None:
                self._ended_at = self.seen_at
            # kept once, so that it is gone when it is read
            self._look, self._data, self._at = replace(look, out=b""), look.out, offset

    def differs(self, look: Look) -> bool:
        old = self._look
        ending = "ended" in look.files and not old.at_work
        return ending or (look.files, look.running) != (old.files, old.running)

    def read(self, offset: int, limit: int) -> bytes:
        for _ in range(2):
            with self._lock:
                begin = offset - self._at
                data = self._data[begin : begin + limit] if begin >= 0 else b""
                if data:
                    return data
                if offset >= self._look.size:
                    self._data = b""  # read: not kept
                    return b""
            if not self._refresh(offset):
                return b""
        return b""

    def wait(self, offset: int, timeout: float, wake: int | None) -> Wakeup:
        deadline = time.monotonic() + timeout
        with self._watcher.watching(self, offset) as seen:
            waiting = select.poll()
            for descriptor in (wake, seen):
                if descriptor is not None:
                    waiting.register(descriptor, select.POLLIN)
            while True:
                if self._look.size > offset:
                    return Wakeup.OUTPUT
                if self._over:
                    return Wakeup.ENDED
                if self._link_changed():
                    return Wakeup.LINK
                patience = deadline - time.monotonic()
                ready = {fd for fd, _ in waiting.poll(max(0.0, min(patience, _TICK)) * 1000)}
                if seen in ready:
                    os.eventfd_read(seen)
                elif wake in ready:
                    return Wakeup.WOKEN
                elif patience <= 0:
                    return Wakeup.TIMEOUT

    def result(self) -> Result | None:
        if not self._over and time.monotonic() - self.seen_at > _FRESH:
            self._refresh(self._look.size)
        with self._lock:
            return self._result(self._look)

    def result_now(self) -> Result | None:
        self.refresh(self._look.size)
        with self._lock:
            return self._result(self._look)

    def give_back(self, end: int) -> None:
        with suppress(Unreachable):
            self._link.ask(call("spare", self.attempt, end))

    def stop(self, grace: float) -> StopReport:
        report = members.stop(self._link, self.attempt, self.process, grace)
        self._refresh(self._look.size)
        return report

    def refresh(self, offset: int = 0) -> None:
        """Look at it now, with its output from an offset on. Raises Unreachable."""
        asked_at = time.monotonic()
        answer = self._link.ask(look_request(self, offset, ALONE))
        look = read_look(answer, self.process, self._link.hello().text("boot"))
        self.see(look, offset, asked_at)

    def _refresh(self, offset: int) -> bool:
        """The same; false if the host does not answer, which `lost` says."""
        with suppress(Unreachable):
            self.refresh(offset)
            return True
        return False

    @property
    def _over(self) -> bool:
        look = self._look
        return look.absent or not look.running or self._code(look) is not None

    def _code(self, look: Look) -> bytes | None:
        """Also that of a command that is over while a child of it keeps the output open."""
        if look.rc is not None and not look.running:
            return look.rc
        if look.ended is None or look.at_work or self._ended_at is None:
            return None
        seconds = time.monotonic() - self._ended_at
        over = verdict.over(seconds, running=look.running, writing=look.writing)
        return look.ended if over else None

    def _result(self, look: Look) -> Result | None:
        if look.absent:
            self._link.spool = None  # what is sent next is sent to the one that is there now
            raise Vanished(
                "Its job directory is gone: the spool was emptied, or another machine answers."
            )
        code = self._code(look)
        if self._cut or look.replaced("rc", "ended"):
            raise verdict.replaced()
        if code is not None or not look.running:
            if look.replaced("out"):
                raise verdict.replaced()
            code = code if "out" in look.files else None
        number = verdict.exit_code(code, running=look.running)
        if number is None:
            return None
        return verdict.result(number, look.session, self._cwd, self._account)

    def _link_changed(self) -> bool:
        """Whether the watcher has to hear that the connection was lost, or that it is back."""
        lost = self._link.lost
        if (lost is not None) == self._told:
            return False
        if lost is not None and (datetime.now(UTC) - lost.since).total_seconds() < _PATIENCE:
            return False
        self._told = lost is not None
        return True
