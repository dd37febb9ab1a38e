"""One attempt of a shell step: sent, watched, finished. After a crash the next worker goes on with it."""

import random
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now

from cvdops.executions import context, outcome
from cvdops.executions.gates import rest
from cvdops.executions.hints import announce
from cvdops.executions.leases import HOLDS
from cvdops.executions.models import StepAttempt, StepRun
from cvdops.executions.outcome import Outcome
from cvdops.executions.output import SEGMENT, Recorder, read
from cvdops.executions.run import Run
from cvdops.executions.states import STEP_MOVES, Intent, StepEvent, StepState
from cvdops.executions.transitions import Also, DatabaseNow, Superseded
from cvdops.lib.failpoints import failpoint
from cvdops.lib.ids import uuid7
from cvdops.runners.job import (
    AlreadyClaimed,
    Found,
    Handle,
    Job,
    Presence,
    Result,
    StartFailed,
    Transport,
    Vanished,
)
from cvdops.spec.document import Kind, Shell, Step

GRACE = 10.0  # seconds between TERM and KILL
READ_BACK = 1_000_000  # bytes of output that samples and captures look at
SHORT = 0.02  # seconds: a step that is done within them keeps its database connection
POLL = 30.0  # seconds: a watcher looks again even if nothing woke it


class Leave(Exception):
    """This process is going down: the step goes on and the next worker attaches."""


@dataclass(frozen=True, slots=True)
class Work:
    """What the functions below work on."""

    run: Run
    step: StepRun
    definition: Step
    attempt: StepAttempt
    transport: Transport
    variables: dict[str, str]  # the job's environment

    @property
    def job(self) -> Job:
        session = self.run.execution.session.get(self.step.host, {})
        return Job(
            attempt=str(self.attempt.pk),
            interpreter="sh" if self.definition.kind is Kind.SH else "bash",
            strict=self.run.plan.shell is Shell.STRICT,
            script=self.definition.body,
            variables=self.variables,
            cwd=session.get("cwd", ""),
        )


def carry_out(run: Run, index: int) -> None:
    """Begin this step and see it to its end. Raises Superseded or Leave."""
    step, definition = run.steps[index], run.definitions[index]
    transport = _transport(run, step)
    try:
        spool = transport.spool()
    except StartFailed as error:
        _refuse(run, step, str(error))
        return
    attempt = StepAttempt(
        id=uuid7(),
        step=step,
        number=step.attempt_count + 1,
        spool=spool.identity,
        boot_id=spool.boot_id,
    )
    seq = run.hand.step(
        step.pk,
        StepEvent.BEGIN,
        {"attempt": attempt.number},
        also=_sent(attempt),
        attempt_count=attempt.number,
        tries=step.tries + 1,
        started_at=DatabaseNow,
        finished_at=None,
        exit_code=None,
        note="",
    )
    announce(run.id, seq)
    step.attempt_count += 1
    step.tries += 1
    step.state = StepState.RUNNING
    failpoint("attempt.sent")
    work = _work(run, step, definition, attempt, transport)
    _start(work, _recorder(work), elapsed=0.0)


def _sent(attempt: StepAttempt) -> Also:
    return Also(
        """
        INSERT INTO executions_stepattempt
          (id, step_id, number, state, spool, boot_id, output_size, output_digest)
        SELECT %s, s.id, %s, 'running', %s, %s, 0, '' FROM s
        """,
        (attempt.pk, attempt.number, attempt.spool, attempt.boot_id),
    )


def recover(run: Run, index: int) -> None:
    """Find out how a step stands that another worker began, and see it to its end."""
    step, definition = run.steps[index], run.definitions[index]
    attempt = step.attempts.get(state=StepState.RUNNING)
    work = _work(run, step, definition, attempt, _transport(run, step))
    elapsed = _elapsed(attempt)
    recorder = _recorder(work)
    recorder.resume()
    found = work.transport.attach(str(attempt.pk))
    if found.handle is not None and found.presence is not Presence.VANISHED:
        _watch(work, recorder, found.handle, elapsed)
    elif found.presence is Presence.ABSENT and _same_place(work):
        _start(work, recorder, elapsed)  # it was never begun: a claim would be there
    else:
        _interrupted(work, recorder, found)


def _transport(run: Run, step: StepRun) -> Transport:
    return context.transport(run.plan.hosts[step.host])


def _work(
    run: Run, step: StepRun, definition: Step, attempt: StepAttempt, transport: Transport
) -> Work:
    session = run.execution.session.get(step.host, {})
    return Work(
        run, step, definition, attempt, transport, context.environment(run.execution, session)
    )


def _same_place(work: Work) -> bool:
    spool = work.transport.spool()
    return (spool.identity, spool.boot_id) == (work.attempt.spool, work.attempt.boot_id)


def _elapsed(attempt: StepAttempt) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM clock_timestamp() - %s::timestamptz)", [attempt.sent_at]
        )
        return float(cursor.fetchone()[0])


def _start(work: Work, recorder: Recorder, elapsed: float) -> None:
    try:
        handle = work.transport.start(work.job)
    except AlreadyClaimed:
        found = work.transport.attach(str(work.attempt.pk))
        if found.handle is None or found.presence is Presence.VANISHED:
            _interrupted(work, recorder, found)
            return
        handle = found.handle
    except StartFailed as error:
        _finish(work, Outcome(StepEvent.FAIL, str(error)), recorder)
        return
    failpoint("attempt.started")
    _watch(work, recorder, handle, elapsed)


def _watch(work: Work, recorder: Recorder, handle: Handle, elapsed: float) -> None:
    try:
        _see_through(work, recorder, handle, elapsed)
    except Vanished as error:
        _interrupted(work, recorder, Found(Presence.VANISHED, handle), str(error))


def _see_through(work: Work, recorder: Recorder, handle: Handle, elapsed: float) -> None:
    hold = work.run.hold
    deadline = time.monotonic() + work.definition.attributes.timeout - elapsed
    quiet = False
    while True:
        result = handle.result()  # before reading: what is read after it is all there is
        _drain(recorder, handle)
        if result is not None:
            _ended(work, recorder, result)
            return
        hold.calm()
        _stay(work)
        if hold.intent == Intent.CANCEL:
            _stopped(work, recorder, handle, StepEvent.CANCEL, "It was cancelled")
            return
        if time.monotonic() >= deadline:
            limit = f"It did not end within {work.definition.attributes.timeout:g} s"
            _stopped(work, recorder, handle, StepEvent.TIME_OUT, limit)
            return
        if quiet:
            connection.close()  # back to the pool: a long step must not hold one
        patience = min(recorder.due, deadline - time.monotonic(), POLL if quiet else SHORT)
        handle.wait(recorder.source, max(patience, 0.0), hold.wake)
        quiet = True


def _stay(work: Work) -> None:
    if HOLDS.draining.is_set():
        raise Leave
    if not work.run.hold.valid:
        raise Superseded


def _recorder(work: Work) -> Recorder:
    return Recorder(work.run.hand, work.attempt.pk, context.masker(work.run.execution))


def _drain(recorder: Recorder, handle: Handle) -> None:
    """Take what the step has written so far; store it when it is time to."""
    while data := handle.read(recorder.source, SEGMENT):
        recorder.feed(data)
        if recorder.due <= 0:
            recorder.store()
            failpoint("output.stored")
    if recorder.due <= 0:
        recorder.store()


def _ended(work: Work, recorder: Recorder, result: Result) -> None:
    recorder.finish()
    text = ""
    if work.definition.samples or work.definition.attributes.capture:
        text = read(work.attempt.pk, 0, READ_BACK).decode(errors="replace")
    judged = outcome.judge(work.definition, result.exit_code, text)
    if not judged.note:
        judged = replace(judged, note=_not_carried(result))
    _finish(work, judged, recorder, _session(work, result, text, judged))


def _not_carried(result: Result) -> str:
    """What later steps will miss of this one's variables, as a sentence; empty for nothing."""
    if not result.carried:
        return "It set its own EXIT trap or replaced itself: its variables are not carried over."
    if result.dropped:
        return f"Not carried over, too large or not text: {', '.join(result.dropped)}."
    return ""


def _stopped(
    work: Work, recorder: Recorder, handle: Handle, event: StepEvent, because: str
) -> None:
    report = handle.stop(GRACE)
    _drain(recorder, handle)
    recorder.finish()
    if report.gone:
        note = f"{because}; its processes are gone, verified."
    else:
        left = ", ".join(str(pid) for pid in report.left)
        note = f"{because}, but processes are left on {work.step.host}: {left}. End them by hand."
    _finish(work, Outcome(event, note), recorder)


def _interrupted(work: Work, recorder: Recorder, found: Found, why: str = "") -> None:
    if found.handle is not None:
        _drain(recorder, found.handle)
        recorder.finish()
    why = why or "Its process ended without leaving a result."
    note = f"{why} How far it came is not known."
    if found.presence is Presence.ABSENT:
        note = (
            f"{work.step.host} was restarted or its spool was emptied after the step was sent: "
            "whether it began is not known."
        )
    event = StepEvent.TRY_AGAIN if work.definition.attributes.idempotent else StepEvent.INTERRUPT
    _finish(work, Outcome(event, note), recorder)


def _session(work: Work, result: Result, text: str, judged: Outcome) -> dict[str, Any] | None:
    host = work.step.host
    variables = dict(result.variables)
    if work.definition.attributes.capture and judged.event is StepEvent.SUCCEED:
        variables[work.definition.attributes.capture] = text.strip()
    before = work.run.execution.session.get(host, {})
    after = context.after(
        before, work.variables, variables, result.cwd, context.secrets(work.run.execution)
    )
    return None if after == before else {**work.run.execution.session, host: after}


def _finish(
    work: Work, judged: Outcome, recorder: Recorder, session: dict[str, Any] | None = None
) -> None:
    """Record the end of the attempt and what becomes of the step, durably and at once."""
    run, step = work.run, work.step
    event = judged.event
    again = outcome.may_retry(work.definition, event, step.tries)
    undoes = event is StepEvent.SUCCEED and run.rolling_back
    if again:
        event = StepEvent.TRY_AGAIN
    with transaction.atomic() if again or undoes else nullcontext():
        _record(work, judged, event, recorder, session)
        if undoes:
            _undone(run, step)
        if again:
            seconds = outcome.backoff(work.definition, step.tries, random.random())  # noqa: S311
            rest(run, "retry", f"Trying again: {step.title}", step.key, due=seconds)
    failpoint("attempt.finished")
    work.transport.clean(str(work.attempt.pk))
    step.state = STEP_MOVES[event].destination
    step.exit_code = judged.exit_code
    if session is not None:
        run.execution.session = session


def _record(
    work: Work,
    judged: Outcome,
    event: StepEvent,
    recorder: Recorder,
    session: dict[str, Any] | None,
) -> None:
    run = work.run
    fields: dict[str, Any] = {} if session is None else {"session": session}
    if run.hold.lost_before:
        fields["lost_leases"] = 0  # there was progress
        run.hold.lost_before = 0
    seq = run.hand.step(
        work.step.pk,
        event,
        {"attempt": work.attempt.number, "note": judged.note},
        execution=fields,
        also=_over(work.attempt, judged, recorder),
        exit_code=judged.exit_code,
        note=judged.note,
        sample=judged.sample,
        sample_detail=judged.sample_detail,
        finished_at=DatabaseNow,
    )
    announce(run.id, seq)


def _over(attempt: StepAttempt, judged: Outcome, recorder: Recorder) -> Also:
    state = (
        StepState.INTERRUPTED
        if judged.event is StepEvent.TRY_AGAIN
        else STEP_MOVES[judged.event].destination
    )
    return Also(
        """
        UPDATE executions_stepattempt SET state = %s, finished_at = statement_timestamp(),
               exit_code = %s, output_size = %s, output_digest = %s
          FROM s WHERE executions_stepattempt.id = %s
        """,
        (state, judged.exit_code, recorder.offset, recorder.digest, attempt.pk),
    )


def _undone(run: Run, step: StepRun) -> None:
    undone = [s.id for s in run.plan.forward if s.attributes.rollback == step.key]
    StepRun.objects.filter(execution=run.execution, key__in=undone, host=step.host).update(
        undone_at=Now()
    )


def _refuse(run: Run, step: StepRun, sentence: str) -> None:
    with transaction.atomic():
        announce(run.id, run.hand.step(step.pk, StepEvent.FAIL, note=sentence))
    step.state = StepState.FAILED
    step.note = sentence
