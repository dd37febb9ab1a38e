"""Stops that nobody has seen yet: their hosts are asked again until they answer, or a Lead settles it."""

from datetime import datetime
from uuid import UUID

from django.db.models import Min, QuerySet

from cvdops.executions import context, gates, jobs
from cvdops.executions.finishing import GRACE
from cvdops.executions.hints import announce
from cvdops.executions.leases import UNCONFIRMED
from cvdops.executions.models import Event, StepRun
from cvdops.executions.run import Run
from cvdops.executions.states import StepEvent, StepState
from cvdops.lib.together import Read
from cvdops.runners.job import AlreadyClaimed, Presence, StartFailed, Unreachable

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


@Read
def unseen(executions: tuple[UUID, ...]) -> QuerySet[StepRun, tuple[UUID, datetime]]:
    """The same of several that have such a stop: which, and when."""
    left = StepRun.objects.filter(execution__in=executions, unconfirmed=True)
    return left.values_list("execution").annotate(first=Min("finished_at"))


def _stopped(run: Run, step: StepRun) -> bool:
    attempt = step.attempts.order_by("-number").first()
    try:
        transport = context.transport(run.plan.hosts[step.host])
        found = transport.attach(str(attempt.pk) if attempt else "")
        if attempt and found.presence is Presence.ABSENT:
            transport.start(jobs.nothing(attempt))  # a start that is still on its way is late now
        gone = found.handle is None or found.handle.stop(GRACE).gone
    except (Unreachable, StartFailed, AlreadyClaimed):
        return False
    if not gone:
        return False
    note = "It was cancelled; its processes are gone, verified."
    if found.presence is Presence.ABSENT:
        note = "It was cancelled; it never began there."
    announce(
        run.id,
        run.hand.step(step.pk, StepEvent.CANCEL, {"note": note}, note=note, unconfirmed=False),
    )
    step.state, step.unconfirmed = StepState.CANCELLED, False
    return True
