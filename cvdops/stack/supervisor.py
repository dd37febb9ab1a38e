"""Starts parts in order, starts again what dies, and stops exactly what it started."""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from cvdops.stack.parts import Part, Running
from cvdops.stack.records import Records

FIRST_PAUSE = 0.5  # seconds before a dead part is started again, doubled at each further death
LONGEST_PAUSE = 4.0  # so that an execution goes on within 20 s, however often its worker died
STEADY = 60.0  # seconds of life after which an earlier death no longer counts
LOOK = 0.2
LOG_LIMIT = 10 * 1024 * 1024


class Stopped(Exception):
    """Somebody asked the system to stop."""


@dataclass
class Kept:
    """A part that is kept running, with the history of its deaths."""

    running: Running
    since: float
    pause: float = FIRST_PAUSE
    again_at: float | None = None
    answered: bool = True


class Supervisor:
    """All waiting is in the main thread, which notices a signal within a fraction of a second."""

    def __init__(self, logs: Path, records: Records, say: Callable[[str], None]) -> None:
        self.logs = logs
        self.records = records
        self.say = say
        self._kept: list[Kept] = []
        self._stop = threading.Event()

    def obey_signals(self) -> None:
        # Ignored when it was started in the background, and then also by every step.
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, self._on_signal)

    def ask_to_stop(self) -> None:
        """Make `watch` return and every other wait raise Stopped."""
        self._stop.set()

    def check(self) -> None:
        """Raise Stopped once a signal to stop has come."""
        if self._stop.is_set():
            raise Stopped

    def begin(self, part: Part) -> Running:
        """Start a part that is kept alive from now on: by `watch`, once all are started."""
        running = self._start(part)
        self._kept.append(Kept(running, time.monotonic()))
        return running

    def wait_ready(self, *begun: Running) -> None:
        """Return when all of them answer; StartError when one does not."""
        for running in begun:
            running.wait_ready(self.check)

    def run(self, part: Part) -> None:
        """Run a part that does its work and ends; StartError when it fails."""
        running = Running(part, self._log(part))
        try:
            running.wait_done(self.check)
        except Stopped:
            running.stop()
            raise

    def watch(self) -> None:
        """Keep the parts alive until a signal comes."""
        while not self._stop.wait(LOOK):
            for kept in self._kept:
                self._look_after(kept)

    def stop(self) -> None:
        """Stop everything that was started, the last first."""
        for kept in reversed(self._kept):
            kept.running.stop()
            self.records.forget(kept.running.part.name)
        self._kept.clear()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.ask_to_stop()

    def _start(self, part: Part) -> Running:
        running = Running(part, self._log(part))
        self.records.remember(part.name, running.process.pid)
        return running

    def _look_after(self, kept: Kept) -> None:
        name, now = kept.running.part.name, time.monotonic()
        if kept.again_at is not None:
            if now >= kept.again_at:
                self._restart(kept, now)
        elif not kept.running.alive():
            self._plan_restart(kept, now)
        elif not kept.answered and kept.running.answers():
            kept.answered = True
            self.say(f"{name} answers again.")
        elif now - kept.since > STEADY:
            kept.pause = FIRST_PAUSE

    def _plan_restart(self, kept: Kept, now: float) -> None:
        name, code = kept.running.part.name, kept.running.process.returncode
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        self.say(
            f"{name} {how}; it is started again in {kept.pause:g} s (log: {kept.running.log})."
        )
        kept.again_at = now + kept.pause
        kept.pause = min(kept.pause * 2, LONGEST_PAUSE)

    def _restart(self, kept: Kept, now: float) -> None:
        kept.running.stop()  # what may be left of its process group
        try:
            kept.running = self._start(kept.running.part)
        except OSError as error:  # no process to be had, or the program is being replaced
            self.say(f"{kept.running.part.name} cannot be started: {error.strerror}.")
            kept.again_at = now + kept.pause
        else:
            kept.since, kept.again_at, kept.answered = now, None, False

    def _log(self, part: Part) -> Path:
        log = self.logs / f"{part.name}.log"
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        return log
