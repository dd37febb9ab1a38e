"""The connection to a step's host: waited for as long as it takes, and shown on the step while it is away."""

import logging
import select
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from django.db import connection, transaction

from cvdops.executions.finishing import Work
from cvdops.executions.hints import announce
from cvdops.executions.leases import HOLDS, Leave, calm
from cvdops.executions.models import StepRun
from cvdops.executions.transitions import Superseded
from cvdops.runners.job import Handle, Lost, Unreachable

log = logging.getLogger(__name__)

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between two tries; the last one for ever
T = TypeVar("T")


def stay(work: Work) -> None:
    """Raises Leave when this process goes down, Superseded when the lease is another worker's."""
    if HOLDS.draining.is_set():
        raise Leave
    if not work.run.hold.valid:
        raise Superseded


def patiently(work: Work, ask: Callable[[], T], tries: int | None = None) -> T:
    """The answer of the host, asked again while it cannot be reached.

    Raises Unreachable after so many tries or when the execution is to be cancelled, Leave, Superseded.
    """
    count, since = 0, datetime.now(UTC)
    with work.run.hold.watching() as wake:
        while True:
            try:
                answer = ask()
            except Unreachable as error:
                count += 1
                if work.run.hold.ending or count == tries:
                    raise
                lost(work, Lost(since, error))
                connection.close()
                rest(wake, PAUSES[min(count, len(PAUSES)) - 1])
                calm(wake)
                stay(work)
                continue
            back(work)
            return answer


def rest(wake: int, pause: float = PAUSES[0]) -> None:
    """Wait until the host may be there again, or until something is asked."""
    select.select([wake], [], [], pause)


def watch(work: Work, handle: Handle) -> None:
    """Tell on the step what has become of the connection since the last look."""
    if handle.lost is not None:
        lost(work, handle.lost)
    else:
        back(work)


def lost(work: Work, what: Lost) -> None:
    """The host cannot be asked. Said once, until it is back or the reason is another one."""
    note = (
        f"The connection to {work.step.host} has been lost since {what.since:%H:%M:%S} UTC. "
        f"{what.error.why} The step goes on there; the connection is tried again all the time."
    )
    if work.step.note != note:
        tell(work, "step.connection_lost", note)


def back(work: Work) -> None:
    """The host answers."""
    if work.step.note:
        tell(work, "step.connection_back", "")


def tell(work: Work, kind: str, note: str) -> None:
    """Put this on the step while it runs, and into the timeline."""
    with transaction.atomic():
        seq = work.run.hand.change(kind, {"host": work.step.host, "note": note}, work.step.pk)
        StepRun.objects.filter(pk=work.step.pk).update(note=note)
        announce(work.run.id, seq)
    work.step.note = note
