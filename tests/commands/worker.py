"""A worker in a thread of the test, for commands that wait until something has been carried out."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from cvdops.executions import engine, probes, queues, recovery
from cvdops.executions.models import Execution, HostCheck

QUEUES = ["env.development"]
NAME = "thread"


@contextmanager
def working() -> Iterator[None]:
    """It carries out what is due, until the end of the block."""
    end = threading.Event()
    queues.seen(NAME, QUEUES)
    thread = threading.Thread(target=_work, args=(end,))
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


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
