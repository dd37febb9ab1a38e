"""What a worker process looks at, executions and tests of hosts: each in a thread, at most so many at once.

A message asks for one, and so does the worker's own search for what is due, every second. Both come here:
so executions go on as well without Redis, and a lost message costs a second.
"""

import logging
import os
import socket
import threading
from collections.abc import Callable
from uuid import UUID

from django.db import Error, connection

from cvdops.executions import closing, engine, probes, tidying
from cvdops.executions.leases import HOLDS

log = logging.getLogger(__name__)

OWNER = f"{socket.gethostname()}:{os.getpid()}"


class Looks:
    """Thread-safe. Until it is opened there is no room: only workers look."""

    def __init__(self, act: Callable[[UUID], None]) -> None:
        self._act = act
        self._changed = threading.Condition()
        self._at_once = 0
        self._running: dict[UUID, bool] = {}  # what is looked at → asked for again meanwhile

    def open(self, at_once: int) -> None:
        """From now on, so many at once."""
        self._at_once = at_once

    @property
    def room(self) -> int:
        """How many more there is room for; none while this process goes down."""
        return 0 if HOLDS.draining.is_set() else max(0, self._at_once - len(self._running))

    def take(self, what: UUID) -> bool:
        """Look at it soon. False without room: who searches finds it again, here or elsewhere."""
        with self._changed:
            if what in self._running:
                self._running[what] = True
            elif not self.room or not self._begin(what):
                return False
        HOLDS.nudge(what)
        return True

    def _begin(self, what: UUID) -> bool:
        # Daemons: one that hangs must not keep a process that was told to end.
        thread = threading.Thread(target=self._look, args=(what,), daemon=True)
        self._running[what] = False
        try:
            thread.start()
        except RuntimeError:  # the system gives this account no more of them
            del self._running[what]
            return False
        return True

    def wait(self, seconds: float) -> bool:
        """Whether all of them have ended within this time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, seconds)

    def _look(self, what: UUID) -> None:
        again = True
        while again:
            try:
                self._act(what)
            except Error as error:
                log.warning(
                    "The look at %s broke off: the database did not answer: %s", what, error
                )
            except Exception:
                log.exception("The look at %s broke off.", what)
            finally:
                connection.close()  # or the pool would miss it for ever: this thread ends
            again = self._again(what)

    def _again(self, what: UUID) -> bool:
        """Whether somebody asked after the last look had seen what there was; else it is over."""
        with self._changed:
            if self._running[what] and not HOLDS.draining.is_set():
                self._running[what] = False
                return True
            del self._running[what]
            self._changed.notify_all()
            return False


LOOKS = Looks(lambda execution: engine.advance(execution, OWNER))
TESTS = Looks(probes.carry_out)  # of hosts
ENDS = Looks(closing.look)  # what comes after the end of executions
REMAINS = Looks(tidying.tidy)  # of attempts, on their hosts
