"""Stops that nobody has seen yet: their hosts are asked again until they answer, or a Lead settles it."""

from dataclasses import dataclass
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
from cvdops.executions.states import ENDING, Intent, StepEvent, StepState
from cvdops.executions.transitions import Also, DatabaseNow, Hand
from cvdops.lib.together import Fixed
from cvdops.runners.job import (
    AlreadyClaimed,
    Found,
    Presence,
    Result,
    StartFailed,
    StopReport,
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


def _asked(run: Run) -> list[StepRun]:
    """Steps that were asked to stop; before the end and a rollback all that may still run."""
    if not (run.hold.ending or run.rolling_back):
        return [step for step in run.steps if step.unconfirmed]
    here = {step.pk: step for step in run.steps}
    return [here.get(step.pk, step) for step in may_run(run.id)]


def may_run(execution: UUID) -> list[StepRun]:
    """Steps of either phase that no worker watches and that may still run on their hosts."""
    interrupted = StepRun.objects.filter(execution=execution, state=StepState.INTERRUPTED)
    return [
        step
        for step in interrupted
        if step.unconfirmed or never_seen(step.attempts.order_by("-number")[0])
    ]


def never_seen(attempt: StepAttempt) -> bool:
    """Whether nobody has seen that it ended: it may still run on its host."""
    stored = attempt.state == StepState.INTERRUPTED and attempt.spool
    return bool(stored) and unseen_since(attempt) is not None


def unseen_since(attempt: StepAttempt) -> int | None:
    """The number of the event that left it with an end that nobody has seen; None if there is none."""
    told = Event.objects.filter(step=attempt.step_id, **{f"data__{UNSEEN}": attempt.number})
    return told.values_list("seq", flat=True).first()


def leave_unseen(hand: Hand, step: StepRun, note: str) -> None:
    """Nobody watches a step any more that ran: it is interrupted, and nobody has seen its end."""
    over = Also(
        """
        UPDATE executions_stepattempt SET state = %s, finished_at = statement_timestamp()
          FROM s WHERE step_id = s.id AND executions_stepattempt.state = %s
        """,
        (StepState.INTERRUPTED, StepState.RUNNING),
    )
    data = {UNSEEN: step.attempt_count, "note": note}
    event = StepEvent.INTERRUPT
    hand.step(step.pk, event, data, also=over, note=note, finished_at=DatabaseNow)


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


@dataclass(frozen=True, slots=True)
class Sight:
    """What was there, and what became of it."""

    found: Found
    result: Result | None  # if it had ended by itself
    stopping: StepEvent | None  # why a worker before had begun to stop it
    ran: bool
    report: StopReport


def look(hand: Hand, transport: Transport, attempt: StepAttempt, event: StepEvent) -> Sight:
    """What its host has of it; what still runs there is ended, and a start on its way is late now.

    `event`: why it is to end. Raises Unreachable, StartFailed, AlreadyClaimed, Vanished, Superseded.
    """
    key = str(attempt.pk)
    found, stopping = transport.attach(key), finishing.stopping(attempt)
    ended = found.presence is Presence.FINISHED and not stopping
    result = found.handle.result() if ended and found.handle else None
    ran = result is None and bool(transport.running(key, found.leader))
    if ran:
        finishing.say_stopping(hand, attempt, event)
    report = transport.stop(key, found.leader, GRACE) if ran else StopReport(gone=True)
    if found.handle is None and report.gone:
        transport.spool()
        transport.start(jobs.nothing(attempt))
    return Sight(found, result, stopping, ran, report)


def _why_not(run: Run, step: StepRun) -> str:
    """Why it cannot be said to have stopped, as a sentence; empty if its end is recorded now."""
    attempt = step.attempts.order_by("-number")[0]
    event = asked_for(step, run.hold.intent, run.execution.phase)
    try:
        transport = context.transport(run.plan.hosts[step.host])
        sight = look(run.hand, transport, attempt, event)
    except Unreachable as error:
        return finishing.doubt(error)
    except StartFailed as error:
        return f"{DOUBT} {error} {ASKED}"
    except (AlreadyClaimed, Vanished):  # it has changed while it was looked at
        return f"{DOUBT} {ASKED}"
    if not sight.report.gone:
        return f"It was asked to stop, but {finishing.left(step.host, sight.report)}"
    work = attempts.made(run, step, run.plan.step(step.key).step, attempt, transport)
    recorder, handle = attempts.resumed(work), sight.found.handle
    if handle is not None and not recorder.drain(handle, over=True):
        return f"{DOUBT} {ASKED}"  # the host went away meanwhile
    if sight.result is not None:
        finishing.ended(work, recorder, sight.result, finishing.BEFORE)
        return ""
    event = sight.stopping or event
    note = finishing.stopped_note(work, event, handle)
    if handle is not None:
        recorder.finish(cut=True)
    elif attempts.same_place(work, sight.found.spool):
        note = f"{finishing.because(work, event)}; it never began there."
    finishing.finish(work, Outcome(event, note), recorder)
    return ""


def asked_for(step: StepRun, intent: str, phase: str) -> StepEvent:
    """Why it was asked to stop: for the end, for a rollback that comes after it, or as its time was up."""
    stopped = intent in ENDING or step.phase != phase
    return StepEvent.CANCEL if stopped else StepEvent.TIME_OUT


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
