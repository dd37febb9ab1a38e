"""What a worker process does by itself, again and again.

Its pulse renews the leases, hears what is asked and proves that it is there. Its round finds what is due, in
a thread of its own: no lease is lost and no cancel unheard because a search takes long.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import Error, OperationalError, connection

from cvdops.audit import witness
from cvdops.catalog.polling import claim_look
from cvdops.executions import (
    assessments,
    closing,
    leases,
    openings,
    partitions,
    probes,
    queues,
    tidying,
)
from cvdops.executions.canary import Canary
from cvdops.executions.hints import send_canary, send_look
from cvdops.executions.leases import HOLDS
from cvdops.executions.looks import ENDS, LOOKS, OWNER, REMAINS, TESTS
from cvdops.executions.recovery import due, rescue
from cvdops.executions.reminders import remind
from cvdops.lib.database import too_long
from cvdops.notifications.delivery import Courier

log = logging.getLogger(__name__)

TICK = 0.5  # seconds between two looks at what is asked of the executions held here
RENEW = 5.0
SEEK = 1.0
RESCUE = 2.0
SEEN = 3.0
SING = 2.0  # between two canaries that did not come back; `canary` says how often otherwise
LOOK = 5.0
REMIND = 5.0
ROOM = 3600.0
WITNESS = 60.0
LEAVE = 2.0  # seconds within which every look has ended that can
LINGER = 2.0  # for Celery to end by itself; it cannot while its broker does not answer

CANARY = Canary()


def consumed(worker: str) -> None:
    """A message of this worker came back to it."""
    if worker == OWNER:
        CANARY.returned()
        queues.proved(OWNER)


class _Acts(threading.Thread):
    """A thread that does each of its acts again after so many seconds."""

    def __init__(self, name: str, every: Mapping[Callable[[], object], float], tick: float) -> None:
        super().__init__(name=name, daemon=True)
        # One that finds no database keeps those behind it from their turn, so the vital ones come first.
        self._every = every
        self._next = dict.fromkeys(every, 0.0)
        self._tick = tick

    def run(self) -> None:
        try:
            self.beat()
            while not HOLDS.draining.wait(self._tick):
                self.beat()
        except Exception:
            # It would go on with half of what a worker does: better a new one at once.
            log.exception("The %s of this worker failed.", self.name)
            _end(f"It has no {self.name}", 70)

    def beat(self) -> None:
        """Do what is due. A database that is away is looked for again at the next beat."""
        try:
            for act, when in self._next.items():
                if time.monotonic() >= when:
                    self._do(act)
                    self._next[act] = time.monotonic() + self._every[act]
        except Error as error:
            log.warning("The database is away: %s", error)
        finally:
            connection.close()

    def _do(self, act: Callable[[], object]) -> None:
        try:
            act()
        except OperationalError as error:
            if not too_long(error):
                raise
            log.warning("The %s of this worker goes on without %r: %s", self.name, act, error)


class Pulse(_Acts):
    """Keeps what this worker holds. `direct` is the queue that only this worker consumes."""

    def __init__(self, served: Sequence[str], direct: str) -> None:
        self._queues = list(served)
        self._direct = direct
        self.left = threading.Event()  # the leases are given back, and nobody counts on this worker
        every: dict[Callable[[], object], float] = {
            self._renew: RENEW,
            self._sing: SING,
            self._seen: SEEN,
            self._listen: 0.0,
            leases.give_back: 0.0,
        }
        super().__init__("pulse", every, TICK)

    def run(self) -> None:
        super().run()
        _leave()
        self.left.set()
        time.sleep(LINGER)
        os._exit(0)

    def beat(self) -> None:
        super().beat()
        if CANARY.lost:
            _end("Redis answers, but no message of it comes through", 70)
        if (used := memory()) > settings.WORKER_MEMORY:
            _end(f"It uses {used} MB of memory, more than CVDOPS_WORKER_MEMORY", 0)

    def _renew(self) -> None:
        if holds := HOLDS.all():
            leases.renew(holds)

    def _listen(self) -> None:
        if holds := HOLDS.all():
            leases.listen(holds)

    def _seen(self) -> None:
        queues.seen(OWNER, self._queues)

    def _sing(self) -> None:
        if CANARY.due:
            CANARY.sent(send_canary(OWNER, self._direct))


class Round(_Acts):
    """Finds what is due for the queues that this worker serves. `direct`: as for its pulse."""

    def __init__(self, served: Sequence[str], direct: str) -> None:
        self._queues = list(served)
        self._direct = direct
        self._courier = Courier()
        every: dict[Callable[[], object], float] = {
            self._make_room: ROOM,  # in a new installation before anything writes
            self._seek: SEEK,
            rescue: RESCUE,
            self._look: LOOK,
            witness.look: WITNESS,
            self._remind: REMIND,
        }
        super().__init__("round", every, SEEK)

    def _seek(self) -> None:
        """What no message has brought, because it was lost or there is no Redis."""
        if room := LOOKS.room:
            for execution in due(self._queues, room):
                LOOKS.take(execution)
        if room := TESTS.room:
            for check in probes.due(self._queues, room):
                TESTS.take(check)
        if room := ENDS.room:
            for execution in closing.due(self._queues, room):
                ENDS.take(execution)
        if room := REMAINS.room:
            for execution in tidying.due(self._queues, room):
                REMAINS.take(execution)

    def _make_room(self) -> None:
        try:
            partitions.prepare()
        except OperationalError as error:  # output is being stored: there are months of time
            log.warning("The next month of output has no partition yet: %s", error)

    def _look(self) -> None:
        # Another thread of this worker does it: a repository may take seconds.
        if claim_look():
            send_look(self._direct)

    def _remind(self) -> None:
        openings.follow()
        remind()
        assessments.remind()
        self._courier.go()


def _end(why: str, code: int) -> None:
    """End this process, whose supervisor starts another one. The steps go on."""
    log.error("%s: this worker ends itself.", why)
    HOLDS.drain()
    _leave()
    os._exit(code)


def _leave() -> None:
    if not LOOKS.wait(LEAVE):
        log.warning("A look did not end in time: its lease runs out, then it goes on elsewhere.")
    with suppress(Error):
        queues.left(OWNER)
        connection.close()


def memory() -> int:
    """What this process has in memory now, in MB."""
    pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20
