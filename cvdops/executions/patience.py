"""Waiting for the network on behalf of a try: what came is stored, and what is asked meanwhile is heard."""

import select
import time

from django.db import InterfaceError, OperationalError, connection

from cvdops.executions.attempts import LOOK, SLOW
from cvdops.executions.leases import HOLDS, Leave, calm
from cvdops.executions.recorder import Recorder
from cvdops.executions.run import Try
from cvdops.executions.states import StepEvent
from cvdops.executions.transitions import Superseded

GRACE = 1.5  # seconds that an answer may still take when this process goes down
LOST = (OperationalError, InterfaceError)  # the database, not what it was asked
AWAY = 0.5  # seconds between two tries of a database that is away


class GivenUp(Exception):
    """It is not waited for any more. The text says why."""

    def __init__(self, event: StepEvent, because: str) -> None:
        super().__init__(because)
        self.event = event  # what becomes of the step


class Patience:
    """The `Wait` of a request: as long as the step has time, and nobody wants it to end."""

    def __init__(self, work: Try, stored: Recorder, wake: int) -> None:
        self._hold = work.run.hold
        self._stored = stored
        self._wake = wake
        self._limit = work.definition.attributes.timeout
        self._deadline = time.monotonic() + self._limit
        self._leave_at = float("inf")
        self._looked = time.monotonic()
        self.late = False  # what came last had come before anybody looked
        self._store_at = 0.0

    def __call__(self, descriptor: int, events: int, seconds: float | None = None) -> bool:
        """Raises GivenUp, Leave, Superseded."""
        until = float("inf") if seconds is None else time.monotonic() + seconds
        waiting = select.poll()
        waiting.register(descriptor, events)
        waiting.register(self._wake, select.POLLIN)
        while True:
            self._look()
            ready = self._glance(waiting, 0)
            left = min(until, self._next()) - time.monotonic()
            if not ready and left > 0:
                connection.close()  # back to the pool: an answer may take long
                ready = self._glance(waiting, min(left, LOOK))
            if any(fd == descriptor for fd, _ in ready):
                return True
            calm(self._wake)
            if time.monotonic() >= until:
                return False

    def _glance(self, waiting: select.poll, seconds: float) -> list[tuple[int, int]]:
        """What there is now, or within so many seconds."""
        ready = waiting.poll(seconds * 1000)
        before, self._looked = self._looked, time.monotonic()
        self.late = bool(ready) and (self.late or self._looked - before > LOOK + SLOW)
        return ready

    def _look(self) -> None:
        """Do what is due."""
        now = time.monotonic()
        if not self._hold.valid:
            raise Superseded
        if self._hold.ending:
            raise GivenUp(StepEvent.CANCEL, "It was cancelled.")
        if now >= self._deadline:
            raise GivenUp(StepEvent.TIME_OUT, f"It was not answered within {self._limit:g} s.")
        if HOLDS.draining.is_set():
            self._leave_at = min(self._leave_at, now + GRACE)
        if now >= self._leave_at:
            raise Leave
        if self._stored.due <= 0 and now >= self._store_at:
            self._store(now)

    def _store(self, now: float) -> None:
        try:
            self._stored.store()
        except LOST:
            # What is kept of an answer fits into memory until the database is back.
            connection.close()
            self._store_at = now + AWAY

    def _next(self) -> float:
        """When there is something to look at again, whatever the network does."""
        due = max(time.monotonic() + self._stored.due, self._store_at)
        return min(due, self._deadline, self._leave_at, self._hold.deadline)
