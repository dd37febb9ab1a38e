"""The beginning of an attempt: recorded as sent before anything leaves this process."""

from uuid import UUID, uuid5

from django.conf import settings
from django.db import transaction

from cvdops.executions import context
from cvdops.executions.hints import announce
from cvdops.executions.models import StepAttempt, StepRun
from cvdops.executions.recorder import Recorder
from cvdops.executions.run import Run, Try
from cvdops.executions.states import StepEvent, StepState
from cvdops.executions.transitions import Also, DatabaseNow


def begin(run: Run, step: StepRun, spool: str = "", boot_id: str = "") -> StepAttempt:
    """Record the next attempt of a step, and where it is sent if that is a spool. Raises Superseded."""
    number = step.attempt_count + 1
    attempt = StepAttempt(
        id=_identity(step, number), step=step, number=number, spool=spool, boot_id=boot_id
    )
    seq = run.hand.step(
        step.pk,
        StepEvent.BEGIN,
        {"attempt": attempt.number},
        also=_sent(attempt),
        attempt_count=attempt.number,
        tries=step.tries + 1,
        due_at=None,
        started_at=DatabaseNow,
        finished_at=None,
        exit_code=None,
        note="",
    )
    announce(run.id, seq)
    step.attempt_count += 1
    step.tries += 1
    step.state, step.due_at, step.note = StepState.RUNNING, None, ""  # of the try before
    return attempt


def _identity(step: StepRun, number: int) -> UUID:
    """Always the same for this try: a database that has lost a transaction does not send it twice.

    After a fail-over to a server that was behind, the claim of the first time is found on the host.
    """
    return uuid5(step.pk, str(number))


def _sent(attempt: StepAttempt) -> Also:
    return Also(
        """
        INSERT INTO executions_stepattempt
          (id, step_id, number, state, spool, boot_id, output_size, output_digest)
        SELECT %s, s.id, %s, 'running', %s, %s, 0, '' FROM s
        """,
        (attempt.pk, attempt.number, attempt.spool, attempt.boot_id),
    )


def refuse(run: Run, step: StepRun, sentence: str) -> None:
    """Let the step fail without an attempt: nothing was sent."""
    with transaction.atomic():
        announce(run.id, run.hand.step(step.pk, StepEvent.FAIL, note=sentence))
    step.state = StepState.FAILED
    step.note = sentence


def recorder(work: Try) -> Recorder:
    """What stores the output of this try, with the secrets masked."""
    masker = context.masker(work.run.execution)
    limit, quota = settings.OUTPUT_LIMIT, settings.OUTPUT_QUOTA
    return Recorder(work.run.hand, work.attempt.pk, masker, limit, quota)
