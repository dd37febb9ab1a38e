"""The looks of a worker process at executions: each in a thread of its own, at most so many at once.

A message asks for one, and so does the worker's own search for what is due, every second. Both come here:
so executions go on as well without Redis, and a lost message costs a second.
"""

import logging
import os
import socket
import threading
from uuid import UUID

from cvdops.executions import engine
from cvdops.executions.leases import HOLDS

log = logging.getLogger(__name__)

OWNER = f"{socket.gethostname()}:{os.getpid()}"


class Looks:
    """Thread-safe. Until it is opened there is no room: only workers look."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._at_once = 0
        self._running: dict[UUID, bool] = {}  # execution → asked for again meanwhile

    def open(self, at_once: int) -> None:
        """From now on, so many at once."""
        self._at_once = at_once

    @property
    def room(self) -> int:
        """How many more there is room for; none while this process goes down."""
        return 0 if HOLDS.draining.is_set() else max(0, self._at_once - len(self._running))

    def take(self, execution: UUID) -> bool:
        """Look at it soon. False without room: who searches finds it again, here or elsewhere."""
        with self._changed:
            if execution in self._running:
                self._running[execution] = True
            elif self.room:
                self._running[execution] = False
                # Daemons: one that hangs must not keep a process that was told to end.
                threading.Thread(target=self._look, args=(execution,), daemon=True).start()
            else:
                return False
        HOLDS.nudge(execution)
        return True

    def wait(self, seconds: float) -> bool:
        """Whether all of them have ended within this time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, seconds)

    def _look(self, execution: UUID) -> None:
        again = True
        while again:
            try:
                engine.advance(execution, OWNER)
            except Exception:
                log.exception("The look at execution %s broke off.", execution)
            again = self._again(execution)

    def _again(self, execution: UUID) -> bool:
        """Whether somebody asked after the last look had seen what there was; else it is over."""
        with self._changed:
            if self._running[execution] and not HOLDS.draining.is_set():
                self._running[execution] = False
                return True
            del self._running[execution]
            self._changed.notify_all()
            return False


LOOKS = Looks()
