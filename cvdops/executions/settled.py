"""Stops that nobody saw and a Lead settled by word: what is there is seen when their host answers again.

The execution is over by then. What is found is said on the step and in the audit log; what still runs is
ended, as was asked.
"""

import logging
from uuid import UUID

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Concat, Now

from cvdops.audit.log import record
from cvdops.executions import attempts, context, finishing, stops
from cvdops.executions.finishing import Work
from cvdops.executions.hints import announce
from cvdops.executions.leases import Hold
from cvdops.executions.models import Event, Execution, StepAttempt, StepRun
from cvdops.executions.recorder import Recorder
from cvdops.executions.run import Run
from cvdops.executions.states import STEP_MOVES, StepEvent, StepState
from cvdops.executions.stops import Sight
from cvdops.executions.transitions import Superseded
from cvdops.runners.job import AlreadyClaimed, StartFailed, Unreachable, Vanished

log = logging.getLogger(__name__)

SEEN = "step.seen"
_WORDS = (StepEvent.CANCEL, StepEvent.TIME_OUT)  # by which a Lead leaves such a step
_VOUCHED = tuple(STEP_MOVES[word].destination for word in _WORDS)


def over(attempt_id: UUID) -> bool:
    """Whether somebody has seen that it is over; if nobody has, look now and say what was found."""
    attempt = StepAttempt.objects.select_related("step").get(pk=attempt_id)
    if not stops.never_seen(attempt):
        return True
    try:
        work = _work(attempt)
        return _told(work, stops.look(work.run.hand, work.transport, attempt, StepEvent.CANCEL))
    except (Unreachable, StartFailed, AlreadyClaimed, Vanished) as error:
        log.info("Nobody has seen yet how %s ended: %s", attempt_id, error)
    except Superseded:
        log.info("Execution %s is at work again: %s is looked at later.", work.run.id, attempt_id)
    return False


def _work(attempt: StepAttempt) -> Work:
    """The attempt with the means to store what its host still has of it. Raises StartFailed."""
    token = Execution.objects.values_list("lease_token", flat=True).get(
        pk=attempt.step.execution_id
    )
    run = Run.load(Hold(attempt.step.execution_id, token, deadline=0.0, lost_before=0))
    transport = context.transport(run.plan.hosts[attempt.step.host])
    definition = run.plan.step(attempt.step.key).step
    return attempts.made(run, attempt.step, definition, attempt, transport)


def _told(work: Work, sight: Sight) -> bool:
    """Store what it wrote and say what was found. Whether it is over. Raises Superseded."""
    stored = attempts.resumed(work)
    if sight.report.gone and sight.found.handle is not None:
        if not stored.drain(sight.found.handle, over=True):
            return False  # the host went away meanwhile
        stored.finish(cut=sight.result is None)
    note = _note(work, sight)
    if not _is_told(work, note):
        _record(work, sight, stored, note)
    return sight.report.gone


def _note(work: Work, sight: Sight) -> str:
    host = work.step.host
    if sight.result is not None:
        return f"{host} answers again: it had ended by itself, with exit code {sight.result.exit_code}."
    if sight.report.gone and sight.ran:
        return f"{host} answers again: it still ran there and was ended; its processes are gone, verified."
    code = finishing.exit_code(sight.found.handle)
    if sight.report.gone and sight.stopping and code is not None:
        return f"{host} answers again: asked to stop, it had ended with exit code {code}, verified."
    if not sight.report.gone:
        return (
            f"{host} answers again: it still runs there, and {finishing.left(host, sight.report)}"
        )
    if sight.found.handle is None and not attempts.same_place(work, sight.found.spool):
        return (
            f"{host} answers again: nothing of it runs there. But its spool is another one or it was "
            "restarted: if another machine answers by this name, look at the former one."
        )
    return f"{host} answers again: nothing of it runs there, verified."


def _is_told(work: Work, note: str) -> bool:
    """Whether a look before this one found the same, as of what cannot be ended."""
    last = Event.objects.filter(step=work.step, kind=SEEN, data__attempt=work.attempt.number).last()
    return last is not None and last.data["note"] == note


def _record(work: Work, sight: Sight, stored: Recorder, note: str) -> None:
    run, step, attempt = work.run, work.step, work.attempt
    data = {"host": step.host, "note": note, "attempt": attempt.number}
    with transaction.atomic():
        seq = run.hand.change(SEEN, data, step.pk)
        # If it has run again meanwhile, its note is about that.
        this = StepRun.objects.filter(pk=step.pk, attempt_count=attempt.number)
        this.filter(state__in=_VOUCHED).update(note=Concat(F("note"), Value(f" {note}")))
        if sight.report.gone:
            StepAttempt.objects.filter(pk=attempt.pk, state=StepState.INTERRUPTED).update(
                state=_left_as(attempt),
                exit_code=finishing.exit_code(sight.found.handle),
                output_size=stored.offset,
                output_digest=stored.digest,
                clean_at=Now(),
            )
        record(None, SEEN, "execution", run.id, data={"step": step.key, **data})
        announce(run.id, seq)


def _left_as(attempt: StepAttempt) -> str:
    """The state in which a Lead left its step, which may have run again since."""
    words = Event.objects.filter(
        step=attempt.step_id,
        kind__in=[f"step.{word}" for word in _WORDS],
        seq__gt=stops.unseen_since(attempt),
    )
    word = words.order_by("seq").values_list("kind", flat=True)[0]
    return STEP_MOVES[StepEvent(word.removeprefix("step."))].destination
