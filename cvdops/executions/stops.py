"""Stops that nobody has seen yet: their hosts are asked again until they answer, or a Lead settles it."""

from datetime import datetime
from uuid import UUID

from django.db.models import Min, QuerySet

from cvdops.executions import attempts, context, finishing, gates, jobs
from cvdops.executions.finishing import GRACE
from cvdops.executions.leases import UNCONFIRMED
from cvdops.executions.models import Event, StepRun
from cvdops.executions.outcome import Outcome
from cvdops.executions.run import Run
from cvdops.executions.states import StepEvent
from cvdops.lib.together import Fixed
from cvdops.runners.job import AlreadyClaimed, Presence, StartFailed, Unreachable, Vanished

AGAIN = 30.0  # seconds between two tries


def confirm(run: Run) -> bool:
    """Whether every stop is confirmed by now; if not, the execution waits and tries again later."""
    left = [step for step in run.steps if step.unconfirmed and not _stopped(run, step)]
    if not left:
        return True
    text = f"Cancel not confirmed on {', '.join(step.host for step in left)}"
    told = Event.objects.filter(execution=run.id, kind="execution.wait", at__gte=since(run.id))
    again = told.filter(data__text=text).exists()
    gates.rest(run, UNCONFIRMED, text, left[0].key, due=AGAIN, again=again)
    return False


def since(execution: UUID) -> datetime | None:
    """When the first of the stops was asked for that nobody has seen: looking again does not change it."""
    left = StepRun.objects.filter(execution=execution, unconfirmed=True)
    found: datetime | None = left.aggregate(first=Min("finished_at"))["first"]
    return found


@Fixed
def unseen(executions: tuple[UUID, ...]) -> QuerySet[StepRun, tuple[UUID, datetime]]:
    """The same of several that have such a stop: which, and when."""
    left = StepRun.objects.filter(execution__in=executions, unconfirmed=True)
    return left.values_list("execution").annotate(first=Min("finished_at"))


def _stopped(run: Run, step: StepRun) -> bool:
    attempt = step.attempts.order_by("-number")[0]
    key = str(attempt.pk)
    try:
        transport = context.transport(run.plan.hosts[step.host])
        found = transport.attach(key)
        result = (
            found.handle.result() if found.presence is Presence.FINISHED and found.handle else None
        )
        if result is None and not transport.stop(key, found.leader, GRACE).gone:
            return False
        if found.handle is None:
            transport.spool()
            transport.start(jobs.nothing(attempt))  # a start that is still on its way is late now
    except (Unreachable, StartFailed, AlreadyClaimed, Vanished):
        return False
    work = attempts.made(run, step, run.plan.step(step.key).step, attempt, transport)
    recorder = attempts.resumed(work)
    if found.handle is not None and not recorder.drain(found.handle, over=True):
        return False
    if result is not None:
        finishing.ended(work, recorder, result, finishing.BEFORE)
        return True
    note = "It was cancelled; its processes are gone, verified."
    if found.handle is not None:
        recorder.finish(cut=True)
    elif attempts.same_place(work, found.spool):
        note = "It was cancelled; it never began there."
    finishing.finish(work, Outcome(StepEvent.CANCEL, note), recorder)
    return True
