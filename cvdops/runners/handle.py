"""A job that was claimed on this machine: its output, its end, its result."""

import os
import select
import subprocess
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from cvdops.runners import stopping, verdict
from cvdops.runners.account import account
from cvdops.runners.job import NEVER, Lost, Process, Result, StopReport, Wakeup
from cvdops.runners.processes import alive, children, open_alive, parse
from cvdops.runners.session import MAX_DUMP
from cvdops.runners.spool import open_regular, punch, read_regular
from cvdops.runners.watch import file_watch

CLAIM = "pid"  # the file that a job makes first, and only if it is not there
_LEFT = ("out", "rc", "ended", "vars", "short")
OWN = frozenset((CLAIM, *_LEFT))  # names that a script has only in a folder of its own
MAX_CLAIM = 16384  # bytes
_UNWATCHED = 0.1  # seconds between two looks where the system has no watches left
_LOOK = 0.5  # seconds between two looks for an end that nothing announces


@dataclass(frozen=True, slots=True)
class Claim:
    """What the job wrote when it had made its claim: who it is and where it began."""

    process: Process
    cwd: str


def read_claim(folder: Path) -> Claim | None:
    """The claim in a job directory; None if it is not complete (yet)."""
    try:
        return parse_claim(read_regular(f"{folder}/{CLAIM}", MAX_CLAIM) or b"")
    except OSError:
        return None


def parse_claim(content: bytes) -> Claim | None:
    """The claim in the content of its file."""
    stat, _, rest = content.decode("utf-8", "surrogateescape").partition("\n")
    boot, _, cwd = rest.partition("\n")
    entry = parse(stat)
    if entry is None or not cwd.endswith("\n"):
        return None
    return Claim(Process(entry.pid, entry.started, boot), cwd[:-1])


class LocalHandle:
    """A job directory of this machine, watched."""

    lost: Lost | None = None  # this machine is always there

    def __init__(
        self, folder: Path, claim: Claim | None, child: "subprocess.Popen[bytes] | None" = None
    ) -> None:
        self.process = claim.process if claim else None
        self._cwd = claim.cwd if claim else ""
        self._attempt = folder.name
        self._out, self._rc, self._ended, self._vars, self._short = (
            f"{folder}/{name}" for name in _LEFT
        )
        self._ended_at: float | None = None  # when it was first seen that the command is over
        self._child = child

    @property
    def size(self) -> int:
        try:
            return os.lstat(self._out).st_size
        except OSError:
            return 0

    @property
    def short(self) -> bool:
        return os.path.lexists(self._short)

    def read(self, offset: int, limit: int) -> bytes:
        try:
            return read_regular(self._out, limit, offset) or b""
        except OSError:
            return b""  # somebody put something else in its place: `result` says so

    def wait(self, offset: int, timeout: float, wake: int | None) -> Wakeup:
        deadline = time.monotonic() + timeout
        unwatched = nullcontext(None)  # it may be written a thousand times a second meanwhile
        with unwatched if offset == NEVER else file_watch().watching(self._out) as changed:
            ended = open_alive(self.process) if self.process else None
            try:
                return self._wait(offset, deadline, wake, changed, ended)
            finally:
                if ended is not None:
                    os.close(ended)

    def result(self) -> Result | None:
        try:
            running, code = self._stands()
            if running and code is not None:
                running, code = self._stands()  # no more, if that is from its shell
            if code is None or running:
                code = self._code_of_ended(running)
            if code is not None or not running:
                os.close(open_regular(self._out))
        except FileNotFoundError:
            code = None
        except OSError:
            raise verdict.replaced() from None
        number = verdict.exit_code(code, running=running)
        return None if number is None else self._result(number)

    def _stands(self) -> tuple[bool, bytes | None]:
        """Whether it runs, looked at first: a process that ends later has left its result; and that."""
        return self._running(), read_regular(self._rc, 16)

    def result_now(self) -> Result | None:
        return self.result()

    def _code_of_ended(self, running: bool) -> bytes | None:
        """The exit code of a command that is over while a child of it keeps the output open."""
        code = read_regular(self._ended, 16)
        if code is None:
            return None
        found = children(self.process.pid) if self.process and running else []
        if verdict.at_work(len(found)):
            return None
        if self._ended_at is None:
            self._ended_at = time.monotonic()
        seconds = time.monotonic() - self._ended_at
        writing = any(one.busy for one in found)
        return code if verdict.over(seconds, running=running, writing=writing) else None

    def give_back(self, end: int) -> None:
        punch(self._out, end)

    def stop(self, grace: float) -> StopReport:
        report = stopping.stop(self._attempt, self.process, grace)
        self._running()
        return report

    def _result(self, code: int) -> Result:
        try:
            dump = read_regular(self._vars, MAX_DUMP) or b""
        except OSError:
            dump = b""
        return verdict.result(code, dump, self._cwd, account())

    def _running(self) -> bool:
        if self._child is not None:
            return self._child.poll() is None  # also collects it
        return self.process is not None and alive(self.process)

    def _wait(
        self, offset: int, deadline: float, wake: int | None, changed: int | None, ended: int | None
    ) -> Wakeup:
        waiting = select.poll()
        for descriptor in (wake, changed, ended):
            if descriptor is not None:
                waiting.register(descriptor, select.POLLIN)
        while True:
            if self.size > offset:
                return Wakeup.OUTPUT
            if ended is None:
                return Wakeup.ENDED
            patience = max(0.0, deadline - time.monotonic())
            pause = min(patience, self._pause(changed))
            ready = {descriptor for descriptor, _ in waiting.poll(pause * 1000)}
            if changed in ready:
                os.eventfd_read(changed or 0)
            if self.size > offset:
                return Wakeup.OUTPUT
            if ended in ready:
                return Wakeup.ENDED
            if wake in ready:
                return Wakeup.WOKEN
            if not ready and (self._ended_at or os.path.exists(self._ended)):  # noqa: PTH110
                return Wakeup.ENDED  # or nearly: `result` knows
            if time.monotonic() >= deadline:
                return Wakeup.TIMEOUT

    def _pause(self, changed: int | None) -> float:
        if self._ended_at is not None:
            return verdict.LINGER / 20
        return _UNWATCHED if changed is None else _LOOK
