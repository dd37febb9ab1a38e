"""A part of the system: how it is started, how one knows that it answers, how it is stopped."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cvdops.stack.process import POLL, Identity, identify


class StartError(Exception):
    """What stops the system from starting, as one sentence for the person who started it."""


@dataclass(frozen=True)
class Account:
    """The ordinary user a part runs as when root starts the system."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Part:
    """`ready` gets the process number and says whether the part answers; times are seconds."""

    name: str
    argv: list[str]
    ready: Callable[[int], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path("/")
    account: Account | None = None
    stop_signal: int = signal.SIGTERM
    patience: float = 60
    grace: float = 10


class Running:
    """One started part; its output is appended to a log file."""

    def __init__(self, part: Part, log: Path) -> None:
        self.part = part
        self.log = log
        self.process = spawn(part, log)

    @property
    def identity(self) -> Identity | None:
        return identify(self.process.pid)

    def alive(self) -> bool:
        return self.process.poll() is None

    def answers(self) -> bool:
        return self.alive() and self.part.ready(self.process.pid)

    def wait_ready(self, check: Callable[[], None] = lambda: None) -> None:
        """Return when it answers; StartError with the end of its log when it does not.

        `check` is called while waiting, and may raise to give up.
        """
        deadline = time.monotonic() + self.part.patience
        while not self.answers():
            check()
            if not self.alive():
                raise StartError(f"{self.part.name} ended at its start: {self.last_words()}")
            if time.monotonic() > deadline:
                raise StartError(
                    f"{self.part.name} does not answer after {self.part.patience:.0f} s: "
                    f"{self.last_words()}"
                )
            time.sleep(POLL)

    def wait_done(self, check: Callable[[], None] = lambda: None) -> None:
        """Return when it has ended well; StartError with the end of its log otherwise."""
        while self.alive():
            check()
            time.sleep(POLL)
        if self.process.returncode:
            raise StartError(f"{self.part.name} failed: {self.last_words()}")

    def stop(self) -> None:
        """End it and wait: its own stop signal first, its whole process group after the grace."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(self.part.stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(self.part.grace)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def last_words(self) -> str:
        """The last line of its log, and where the log is."""
        try:
            lines = self.log.read_text(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return f"{lines[-1] if lines else 'it said nothing.'} (log: {self.log})"


def spawn(part: Part, log: Path) -> subprocess.Popen[bytes]:
    """Start it in a session of its own, so that Ctrl-C reaches the supervisor alone."""
    account = part.account
    private = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(private, "ab") as output:
        return subprocess.Popen(
            part.argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=part.folder,
            env={**os.environ, **part.environment},
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
