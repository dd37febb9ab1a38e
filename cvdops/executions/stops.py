"""Stops that nobody has seen yet: their hosts are asked again until they answer, or a Lead settles it."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Min, QuerySet

from cvdops.executions import attempts, context, finishing, gates, jobs
from cvdops.executions.finishing import ASKED, DOUBT, GRACE, UNSEEN
from cvdops.executions.hints import announce
from cvdops.executions.leases import UNCONFIRMED
from cvdops.executions.models import Event, StepAttempt, StepRun
from cvdops.executions.outcome import Outcome
from cvdops.executions.run import Run
from cvdops.executions.states import Intent, StepEvent, StepState
from cvdops.lib.together import Fixed
from cvdops.runners.job import (
    AlreadyClaimed,
    Found,
    Presence,
    Result,
    StartFailed,
    Transport,
    Unreachable,
    Vanished,
)

AGAIN = 30.0  # seconds between two tries


def confirm(run: Run) -> bool:
    """Whether every stop is confirmed by now; if not, the execution waits and tries again later."""
    left = []
    for step in _asked(run):
        if why := _why_not(run, step):
            _doubt(run, step, why)
            left.append(step)
    if not left:
        return True
    what = "Cancel" if run.hold.intent == Intent.CANCEL else "Stop"
    text = f"{what} not confirmed on {', '.join(step.host for step in left)}"
    told = Event.objects.filter(execution=run.id, kind="execution.wait", at__gte=since(run.id))
    again = told.filter(data__text=text).exists()
    gates.rest(run, UNCONFIRMED, text, left[0].key, due=AGAIN, again=again)
    return False


def _asked(run: Run) -> Iterator[StepRun]:
    """Steps that were asked to stop; with a cancel also those whose end nobody has ever looked for."""
    forsaken = set()
    if run.hold.intent == Intent.CANCEL:
        forsaken = {step.pk for step in abandoned(run.id)}
        former = StepRun.objects.filter(pk__in=forsaken).exclude(phase=run.execution.phase)
        yield from former
    yield from (step for step in run.steps if step.unconfirmed or step.pk in forsaken)


def abandoned(execution: UUID) -> list[StepRun]:
    """Interrupted steps that may still run: nobody has seen an end of theirs, nor asked for it."""
    steps = StepRun.objects.filter(
        execution=execution, state=StepState.INTERRUPTED, unconfirmed=False
    )
    return [step for step in steps if never_seen(step.attempts.order_by("-number")[0])]


def never_seen(attempt: StepAttempt) -> bool:
    """Whether nobody has seen that it ended: it may still run on its host."""
    if attempt.state != StepState.INTERRUPTED or not attempt.spool:
        return False
    told = Event.objects.filter(step=attempt.step_id, **{f"data__{UNSEEN}": attempt.number})
    return told.exists()


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


def found_there(transport: Transport, attempt: StepAttempt) -> tuple[Found, Result | None]:
    """What its host has of it, and how it ended if it did by itself. Raises Unreachable, Vanished."""
    found = transport.attach(str(attempt.pk))
    ended = found.presence is Presence.FINISHED and found.handle is not None
    return found, found.handle.result() if ended and found.handle else None


def forestall(transport: Transport, attempt: StepAttempt) -> None:
    """A start that is still on its way is late now. Raises Unreachable, StartFailed, AlreadyClaimed."""
    transport.spool()
    transport.start(jobs.nothing(attempt))


def _why_not(run: Run, step: StepRun) -> str:
    """Why it cannot be said to have stopped, as a sentence; empty if its end is recorded now."""
    attempt = step.attempts.order_by("-number")[0]
    try:
        transport = context.transport(run.plan.hosts[step.host])
        found, result = found_there(transport, attempt)
        if result is None:
            report = transport.stop(str(attempt.pk), found.leader, GRACE)
            if not report.gone:
                return f"It was asked to stop, but {finishing.left(step.host, report)}"
        if found.handle is None:
            forestall(transport, attempt)
    except Unreachable as error:
        return finishing.doubt(error)
    except StartFailed as error:
        return f"{DOUBT} {error} {ASKED}"
    except (AlreadyClaimed, Vanished):  # it has changed while it was looked at
        return f"{DOUBT} {ASKED}"
    work = attempts.made(run, step, run.plan.step(step.key).step, attempt, transport)
    recorder = attempts.resumed(work)
    if found.handle is not None and not recorder.drain(found.handle, over=True):
        return f"{DOUBT} {ASKED}"  # the host went away meanwhile
    if result is not None:
        finishing.ended(work, recorder, result, finishing.BEFORE)
        return ""
    event = asked_for(run.hold.intent)
    note = f"{finishing.because(work, event)}; its processes are gone, verified."
    if found.handle is not None:
        recorder.finish(cut=True)
    elif attempts.same_place(work, found.spool):
        note = f"{finishing.because(work, event)}; it never began there."
    finishing.finish(work, Outcome(event, note), recorder)
    return ""


def asked_for(intent: str) -> StepEvent:
    """Why a step was asked to stop: without a cancel only because its time was up."""
    return StepEvent.CANCEL if intent == Intent.CANCEL else StepEvent.TIME_OUT


def may_run(execution: UUID) -> bool:
    """Whether a step that no worker watches may still run on its host."""
    asked = StepRun.objects.filter(execution=execution, unconfirmed=True)
    return asked.exists() or bool(abandoned(execution))


def _doubt(run: Run, step: StepRun, why: str) -> None:
    """Say on the step that its stop is not confirmed, with the reason if that is news."""
    if step.unconfirmed and step.note == why:
        return
    with transaction.atomic():
        data = {"host": step.host, "note": why}
        seq = run.hand.change("step.unconfirmed", data, step.pk)
        StepRun.objects.filter(pk=step.pk).update(unconfirmed=True, note=why)
        announce(run.id, seq)
    step.unconfirmed, step.note = True, why
