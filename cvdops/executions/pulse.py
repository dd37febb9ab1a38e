"""The heartbeat of a worker process: renews its leases, hears what is asked, rescues, proves that it lives."""

import logging
import os
import socket
import threading
import time
from collections.abc import Sequence
from datetime import timedelta

from django.db import DatabaseError, connection
from django.db.models.functions import Now

from cvdops.catalog.polling import claim_look
from cvdops.executions import leases
from cvdops.executions.hints import send_canary, send_look
from cvdops.executions.leases import HOLDS
from cvdops.executions.models import Worker
from cvdops.executions.recovery import rescue

log = logging.getLogger(__name__)

OWNER = f"{socket.gethostname()}:{os.getpid()}"
TICK = 0.5  # seconds between two looks at what is asked of the executions held here
RENEW = 5.0
RESCUE = 2.0
CANARY = 10.0
LOOK = 5.0
SILENCE = 30.0  # without consuming a message, the process is of no use: end it
STALE = timedelta(hours=1)

_consumed = time.monotonic()


def consumed(worker: str) -> None:
    """A message of this worker came back to it."""
    global _consumed
    if worker == OWNER:
        _consumed = time.monotonic()
        Worker.objects.filter(name=worker).update(consumed_at=Now())


class Pulse(threading.Thread):
    """One thread of a worker process. `direct` is the queue that only this worker consumes."""

    def __init__(self, queues: Sequence[str], direct: str) -> None:
        super().__init__(name="pulse", daemon=True)
        self._queues = list(queues)
        self._direct = direct
        self._over = threading.Event()
        self._every = {
            self._renew: RENEW,
            self._rescue: RESCUE,
            self._prove: CANARY,
            self._look: LOOK,
        }
        self._next = dict.fromkeys(self._every, 0.0)

    def run(self) -> None:
        global _consumed
        _consumed = time.monotonic()  # the silence counts from now, not from the import
        self.beat()
        while not self._over.wait(TICK):
            self.beat()
        Worker.objects.filter(name=OWNER).delete()
        connection.close()

    def beat(self) -> None:
        """Do what is due. A database that is away is looked for again at the next beat."""
        try:
            for act, when in self._next.items():
                if time.monotonic() >= when:
                    act()
                    self._next[act] = time.monotonic() + self._every[act]
            if holds := HOLDS.all():
                leases.listen(holds)
        except DatabaseError as error:
            log.warning("The database is away: %s", error)
        finally:
            connection.close()
        if time.monotonic() - _consumed > SILENCE:
            log.error("No message came through for %d s: this worker ends itself.", SILENCE)
            os._exit(70)

    def stop(self) -> None:
        self._over.set()

    def _renew(self) -> None:
        if holds := HOLDS.all():
            leases.renew(holds)

    def _rescue(self) -> None:
        rescue()

    def _look(self) -> None:
        # Another thread of this worker does it: a repository may take seconds.
        if claim_look():
            send_look(self._direct)

    def _prove(self) -> None:
        Worker.objects.update_or_create(
            name=OWNER,
            defaults={"queues": self._queues, "seen_at": Now()},
            create_defaults={"queues": self._queues, "seen_at": Now(), "consumed_at": Now()},
        )
        Worker.objects.filter(seen_at__lt=Now() - STALE).delete()
        send_canary(OWNER, self._direct)
