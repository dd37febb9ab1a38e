"""One attempt of a step on a host: sent and watched. After a crash the next worker goes on with it."""

import time
from contextlib import suppress
from dataclasses import replace

from django.db import connection, transaction

from cvdops.environments.models import Host
from cvdops.executions import context, finishing, jobs, links, remains
from cvdops.executions.beginning import begin, recorder, refuse
from cvdops.executions.finishing import Work
from cvdops.executions.hints import announce
from cvdops.executions.leases import calm
from cvdops.executions.models import StepAttempt, StepRun
from cvdops.executions.outcome import Outcome
from cvdops.executions.recorder import Recorder
from cvdops.executions.run import Run, Try
from cvdops.executions.states import StepEvent, StepState
from cvdops.lib.failpoints import failpoint
from cvdops.runners.job import (
    AlreadyClaimed,
    Found,
    Handle,
    Presence,
    Spool,
    StartFailed,
    Transport,
    Unreachable,
    Vanished,
)
from cvdops.spec.document import Step

SHORT = 0.02  # seconds: a step that is done within them keeps its database connection
FORGOTTEN = "It had been sent before, and the database has lost what became of it."
LATE = "It had ended before it was looked at again: its time is counted until then."
LOOK = 2.0  # seconds: a watcher looks again even if nothing woke it
SLOW = 2.0  # seconds later than that: it was stopped, or this machine has no time for it


def carry_out(run: Run, index: int) -> None:
    """Begin this step and see it to its end. Raises Superseded or Leave."""
    step, definition = run.steps[index], run.definitions[index]
    try:
        transport = context.transport(run.plan.hosts[step.host])
        spool = transport.spool()
        again = run.rolling_back or step.attempt_count > 0
        obstacle = remains.clear(run, step.host, transport) if again else ""
    except (StartFailed, Unreachable) as error:
        obstacle = str(error)
    if obstacle:
        refuse(run, step, obstacle)
        return
    attempt = begin(run, step, spool.identity, spool.boot_id)
    failpoint("attempt.sent")
    work = made(run, step, definition, attempt, transport)
    _start(work, recorder(work), elapsed=0.0)


def recover(run: Run, index: int) -> None:
    """Find out how a step stands that another worker began, and see it to its end."""
    step, definition = run.steps[index], run.definitions[index]
    attempt = step.attempts.get(state=StepState.RUNNING)
    try:
        transport = context.transport(run.plan.hosts[step.host])
    except StartFailed as error:
        lost = Try(run, step, definition, attempt, {})
        finishing.unknown(lost, resumed(lost), str(error))
        return
    work = made(run, step, definition, attempt, transport)
    work = replace(work, stopping=finishing.stopping(attempt))
    _find(work, resumed(work), _elapsed(attempt))


def resumed(work: Try) -> Recorder:
    """What goes on storing its output where it ends."""
    stored = recorder(work)
    stored.resume()
    return stored


def _find(work: Work, recorder: Recorder, elapsed: float) -> None:
    """See to its end what may have been started, however long its host cannot be asked."""
    try:
        found, left = links.patiently(work, lambda: remains.look(work))
    except Unreachable as error:
        finishing.unconfirmed(work, recorder, error)
        return
    if found.handle is not None and found.presence is not Presence.VANISHED:
        _watch(work, recorder, found.handle, elapsed, blind=found.presence is Presence.FINISHED)
    elif found.handle is None and not (left or recorder.offset) and same_place(work, found.spool):
        # it was never begun: a claim would be there, or output stored here
        if work.run.hold.ending:
            _forestall(work, recorder, elapsed)
        else:
            _start(work, recorder, elapsed=0.0)
    else:
        _outlast(work, recorder, found, left, _why(work, found), elapsed)


def _outlast(
    work: Work,
    recorder: Recorder,
    found: Found,
    left: tuple[int, ...],
    why: str,
    elapsed: float,
) -> None:
    """See to its end what can leave no result, unless its claim was only late."""
    turned_up = remains.outlast(work, recorder, found, left, why, elapsed)
    if turned_up is not None and turned_up.handle is not None:
        _watch(work, recorder, turned_up.handle, elapsed)


def _forestall(work: Work, recorder: Recorder, elapsed: float) -> None:
    """Cancel what has not begun, and see to it that it never will: its former worker may be late with it."""
    try:
        work.transport.start(jobs.nothing(work.attempt))
    except AlreadyClaimed:
        _find(work, recorder, elapsed)
    except Unreachable as error:
        finishing.unconfirmed(work, recorder, error)
    else:
        note = "It was cancelled before it began."
        finishing.finish(work, Outcome(StepEvent.CANCEL, note), recorder)


def made(
    run: Run, step: StepRun, definition: Step, attempt: StepAttempt, transport: Transport
) -> Work:
    """The try that this attempt is."""
    variables = context.environment(run.execution, run.plan.hosts[step.host])
    return Work(run, step, definition, attempt, variables, transport)


def same_place(work: Work, spool: Spool | None) -> bool:
    """Whether it is the spool that the attempt was sent to, on the same boot of its machine."""
    return spool == Spool(work.attempt.spool, work.attempt.boot_id)


def _elapsed(attempt: StepAttempt) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM clock_timestamp() - %s::timestamptz)", [attempt.sent_at]
        )
        return float(cursor.fetchone()[0])


def _start(work: Work, recorder: Recorder, elapsed: float) -> None:
    try:
        handle = work.transport.start(jobs.job(work))
    except AlreadyClaimed:
        found, left = _claimed_before(work)
        if found.handle is None or found.presence is Presence.VANISHED:
            _outlast(work, recorder, found, left, FORGOTTEN, elapsed)
            return
        handle = found.handle
    except StartFailed as error:
        finishing.finish(work, Outcome(StepEvent.FAIL, str(error)), recorder)
        return
    except Unreachable:  # it may have begun all the same
        _find(work, recorder, elapsed)
        return
    failpoint("attempt.started")
    _watch(work, recorder, handle, elapsed)


def _claimed_before(work: Work) -> tuple[Found, tuple[int, ...]]:
    """What there is of an attempt that was sent before, whoever has forgotten it."""
    with transaction.atomic():
        seq = work.run.hand.change("step.found", {"host": work.step.host}, work.step.pk)
        announce(work.run.id, seq)
    return remains.look(work)


def _watch(
    work: Work, recorder: Recorder, handle: Handle, elapsed: float, *, blind: bool = False
) -> None:
    """See it to its end. `blind`: nobody could see it until now, and it had ended by then."""
    try:
        _see_through(work, recorder, handle, elapsed, blind)
    except Vanished:
        found = Found(Presence.VANISHED, handle)
        why = _why(work, found)
        try:
            left = links.patiently(work, lambda: remains.running(work, found))
        except Unreachable as error:
            finishing.unconfirmed(work, recorder, error)
            return
        _outlast(work, recorder, found, left, why, elapsed)


def _why(work: Work, found: Found) -> str:
    """Why there is no result, as far as the host can tell."""
    host, sent = work.step.host, work.attempt
    with suppress(StartFailed, Unreachable):
        spool = found.spool or work.transport.spool()
        if spool.identity != sent.spool:
            local = work.run.plan.hosts[host].transport == Host.Transport.LOCAL
            other = (
                "this worker has another machine"
                if local
                else "another machine answers by this name"
            )
            return f"The spool of {host} is another one than that of the step: it was emptied, or {other}."
        if spool.boot_id != sent.boot_id:
            return f"{host} was restarted after the step was sent."
    if found.handle is None:
        return f"Its job directory on {host} is gone."
    try:
        found.handle.result()
    except Vanished as error:
        return str(error)
    return "Its process ended without leaving a result."


def _see_through(
    work: Work, recorder: Recorder, handle: Handle, elapsed: float, blind: bool
) -> None:
    hold = work.run.hold
    deadline = time.monotonic() + work.definition.attributes.timeout - elapsed
    quiet = False
    looked = time.monotonic()
    if work.stopping:
        finishing.stopped(work, recorder, handle, work.stopping)
        return
    with hold.watching() as wake:
        while True:
            result = handle.result()  # before reading: what is read after it is all there is
            before, looked = looked, time.monotonic()
            blind = blind or (result is not None and looked - before > LOOK + SLOW)
            whole = recorder.drain(handle, over=result is not None)
            if result is not None and whole:
                finishing.ended(work, recorder, result, LATE if blind else "")
                return
            blind = handle.lost is not None or (blind and result is not None)
            calm(wake)
            links.stay(work)
            links.watch(work, handle)
            if hold.ending:
                finishing.stopped(work, recorder, handle, StepEvent.CANCEL)
                return
            if time.monotonic() >= deadline and not handle.lost:
                finishing.stopped(work, recorder, handle, StepEvent.TIME_OUT)
                return
            if quiet:
                connection.close()  # back to the pool: a long step must not hold one
            if not whole:
                links.rest(wake)
                continue
            handle.wait(recorder.awaited, _patience(recorder, handle, deadline, quiet), wake)
            quiet = True


def _patience(recorder: Recorder, handle: Handle, deadline: float, quiet: bool) -> float:
    """How long to wait for something to happen, in seconds."""
    left = LOOK if handle.lost else deadline - time.monotonic()
    return max(0.0, min(recorder.due, left, LOOK if quiet else SHORT))
