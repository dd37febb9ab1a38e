"""What still runs of an attempt that can leave no result any more.

Its job directory is gone, its shell was killed, or what it left cannot be believed. Its step runs as long
as anything of it does: nothing replaces, undoes or ends it before. Only an idempotent one is ended without
being asked for, because it is to be tried again.
"""

import time
from datetime import UTC, datetime

from django.db import connection

from cvdops.executions import finishing, links
from cvdops.executions.finishing import Work
from cvdops.executions.leases import calm
from cvdops.executions.models import StepAttempt
from cvdops.executions.recorder import Recorder
from cvdops.executions.run import Run
from cvdops.executions.states import StepEvent, StepState
from cvdops.runners.job import Found, Lost, Presence, StopReport, Transport, Unreachable

LOOK = 2.0  # seconds between two looks at what is left
_STOPPED = (StepState.INTERRUPTED, StepState.TIMED_OUT, StepState.CANCELLED)
_WITHOUT_RESULT = frozenset({Presence.ABSENT, Presence.VANISHED})


def look(work: Work) -> tuple[Found, tuple[int, ...]]:
    """What there is of an attempt, and its processes if it can leave no result. Raises Unreachable."""
    found = work.transport.attach(str(work.attempt.pk))
    return found, running(work, found) if found.presence in _WITHOUT_RESULT else ()


def running(work: Work, found: Found) -> tuple[int, ...]:
    """Its processes. Raises Unreachable."""
    return work.transport.running(str(work.attempt.pk), found.leader)


def outlast(
    work: Work,
    recorder: Recorder,
    found: Found,
    left: tuple[int, ...],
    why: str,
    elapsed: float,
) -> Found | None:
    """See it to its end. `why`, a sentence, says why no result will come.

    What was found if it can leave one all the same: its claim was only late.
    """
    deadline = time.monotonic() + work.definition.attributes.timeout - elapsed
    ran = bool(left)
    away: datetime | None = None
    with work.run.hold.watching() as wake:
        while left:
            if found.handle is not None:
                recorder.drain(found.handle)
            try:
                if event := _asked(work, deadline):
                    report = _stop(work, found)
                    if event is not StepEvent.TRY_AGAIN:
                        finishing.ended_by_us(work, recorder, found.handle, event, report)
                        return None
                if away is None:
                    _say(work, why, left)
                _rest(work, wake)
                found, left = look(work)
                away = None
            except Unreachable as error:
                if work.run.hold.ending:
                    finishing.unconfirmed(work, recorder, error)
                    return None
                away = away or datetime.now(UTC)
                links.lost(work, Lost(away, error))
                _rest(work, wake)
            if found.presence not in _WITHOUT_RESULT:
                return found
    event = work.stopping or (StepEvent.CANCEL if work.run.hold.ending else None)
    if event and found.handle is not None:  # whoever stopped it has died meanwhile
        gone = StopReport(gone=True)
        finishing.ended_by_us(work, recorder, found.handle, event, gone)
    else:
        finishing.interrupted(work, recorder, found, why, ran=ran)
    return None


def clear(run: Run, host: str, transport: Transport) -> str:
    """End what may be left there of attempts of this execution that did not come to an end of their own.

    Why nothing can be begun yet, as a sentence; empty if nothing is left. Raises Unreachable.
    """
    stopped = StepAttempt.objects.filter(
        step__execution=run.id, step__host=host, state__in=_STOPPED
    )
    left: list[int] = []
    for attempt in stopped.exclude(spool=""):
        left += transport.stop(str(attempt.pk), None, finishing.GRACE).left
    if not left:
        return ""
    numbers = ", ".join(map(str, left))
    return f"Processes of a try before are left on {host}: {numbers}. End them by hand, then retry."


def _asked(work: Work, deadline: float) -> StepEvent | None:
    """Why it is to be stopped now, if it is."""
    if work.stopping:
        return work.stopping
    if work.run.hold.ending:
        return StepEvent.CANCEL
    if work.definition.attributes.idempotent:
        return StepEvent.TRY_AGAIN
    return StepEvent.TIME_OUT if time.monotonic() >= deadline else None


def _stop(work: Work, found: Found) -> StopReport:
    return work.transport.stop(str(work.attempt.pk), found.leader, finishing.GRACE)


def _rest(work: Work, wake: int) -> None:
    """Until it is time for another look, or something is asked."""
    connection.close()  # back to the pool: it may take long
    links.rest(wake, LOOK)
    calm(wake)
    links.stay(work)


def _say(work: Work, why: str, left: tuple[int, ...]) -> None:
    """On the step, once: the processes may be others each time."""
    begin = f"{why} But it still runs on {work.step.host}"
    if not work.step.note.startswith(begin):
        note = (
            f"{begin} (process {left[0]}), so it is not over: how it ends will not be known. "
            "It is waited for; a cancel ends it."
        )
        links.tell(work, "step.remains", note)
