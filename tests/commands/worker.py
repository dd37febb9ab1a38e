"""A worker in a thread of the test, for commands that wait until something has been carried out."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from cvdops.executions import engine, leases, probes, queues, recovery
from cvdops.executions.leases import HOLDS
from cvdops.executions.models import Execution, HostCheck
from tests.waiting import joined

QUEUES = ["env.development"]
NAME = "thread"


@contextmanager
def working() -> Iterator[None]:
    """It carries out what is due and hears what is asked meanwhile, until the end of the block."""
    end = threading.Event()
    queues.seen(NAME, QUEUES)
    threads = [threading.Thread(target=part, args=(end,), daemon=True) for part in (_work, _hear)]
    for thread in threads:
        thread.start()
    try:
        yield
    except BaseException:
        HOLDS.drain()  # a test that failed waits for none of its steps, whose end may be far
        raise
    finally:
        end.set()
        joined(*threads)
        HOLDS.draining.clear()


def _work(end: threading.Event) -> None:
    try:
        while not end.wait(0.05):
            queues.seen(NAME, QUEUES)
            queued = Execution.objects.filter(state="queued").values_list("pk", flat=True)
            for execution in {*queued, *recovery.due(QUEUES, 10)}:
                engine.advance(execution, NAME)
            for check in HostCheck.objects.filter(begun_at=None).values_list("pk", flat=True):
                probes.carry_out(check)
    finally:
        connections.close_all()


def _hear(end: threading.Event) -> None:
    """As the pulse of a worker does: without it, a step would look every half minute what is asked of it."""
    try:
        while not end.wait(0.1):
            if holds := HOLDS.all():
                leases.listen(holds)
    finally:
        connections.close_all()
