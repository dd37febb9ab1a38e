"""Running one job to its end, as a watcher does."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from cvdops.lib.ids import uuid7
from cvdops.runners.job import Found, Handle, Job, Presence, Result, Transport
from tests.waiting import until

DEADLINE = 90.0  # seconds for one job of a test

T = TypeVar("T", bound=Transport)


@dataclass(frozen=True, slots=True)
class Done:
    """A job that ended, with everything it wrote."""

    attempt: str
    result: Result
    output: bytes

    @property
    def code(self) -> int:
        return self.result.exit_code


@dataclass
class Bench(Generic[T]):
    """Starts jobs on one transport; ends those that a test left running."""

    transport: T
    started: list[Handle] = field(default_factory=list)

    def job(self, script: str, **changes: object) -> Job:
        fields = {"attempt": str(uuid7()), "interpreter": "bash", "strict": True}
        return Job(**{**fields, "script": script, "variables": {}, **changes})  # type: ignore[arg-type]

    def start(self, script: str, **changes: object) -> Handle:
        handle = self.transport.start(self.job(script, **changes))
        self.started.append(handle)
        return handle

    def run(self, script: str, **changes: object) -> Done:
        """To its end: a script that leaves something running is one to `start`, which ends that, too."""
        job = self.job(script, **changes)
        handle = self.transport.start(job)
        self.started.append(handle)
        result, output = follow(handle)
        self.started.remove(handle)
        return Done(job.attempt, result, output)

    def vanished(self, attempt: str) -> Found:
        """The job, found again as one of which nobody knows how it ended; its shell may just be ending."""
        until(lambda: self.transport.attach(attempt).presence is Presence.VANISHED)
        return self.transport.attach(attempt)

    def end(self) -> None:
        for handle in self.started:
            handle.stop(0)


def follow(handle: Handle, offset: int = 0) -> tuple[Result, bytes]:
    """Everything from an offset on until the job has ended."""
    output = bytearray()
    deadline = time.monotonic() + DEADLINE
    while True:
        result = handle.result()
        while data := handle.read(offset + len(output), 1 << 20):
            output += data
        if result is not None:
            return result, bytes(output)
        assert time.monotonic() < deadline, f"still running, so far: {bytes(output[-200:])!r}"
        handle.wait(offset + len(output), 1.0, None)


def running(word: str) -> list[int]:
    """The processes of this machine whose command line has this word."""
    folders = [folder for folder in Path("/proc").iterdir() if folder.name.isdecimal()]
    return [int(folder.name) for folder in folders if word.encode() in _command(folder)]


def children(pid: int) -> list[int]:
    """Of a process of this machine."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def name(pid: int) -> str:
    """That of its program."""
    return Path(f"/proc/{pid}/comm").read_text().strip()


def _command(folder: Path) -> bytes:
    try:
        return (folder / "cmdline").read_bytes().replace(b"\0", b" ")
    except OSError:  # ended meanwhile
        return b""
