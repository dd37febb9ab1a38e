"""The end of an attempt: what it left is stored, judged, and becomes the step's state in one statement."""

import random
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from cvdops.executions import context, outcome, rollback
from cvdops.executions.hints import announce
from cvdops.executions.models import Event, StepAttempt
from cvdops.executions.outcome import Outcome
from cvdops.executions.output import STORED, read
from cvdops.executions.plan import SHELLS
from cvdops.executions.recorder import Recorder
from cvdops.executions.run import Try
from cvdops.executions.states import STEP_MOVES, Intent, StepEvent, StepState
from cvdops.executions.transitions import Also, DatabaseNow, Hand, InSeconds, Merge
from cvdops.lib.failpoints import failpoint
from cvdops.runners.job import (
    Found,
    Handle,
    Presence,
    Result,
    StopReport,
    Transport,
    Unreachable,
    Vanished,
)

GRACE = 10.0  # seconds between TERM and KILL
FIRST = 60.0  # seconds after which somebody looks whether what it left on its host is gone
UNSEEN = "unseen"  # in an event: the number of the attempt whose end nobody has seen
STOPPING = "step.stopping"  # recorded before anything is sent a signal: what ends later ended by it
DOUBT = "It was asked to stop, and nobody knows whether it did."
ASKED = (
    "The host is asked again by itself; when it cannot answer any more, a Lead looks there and "
    "settles it."
)
BEFORE = "It had ended by itself before it could be stopped."
SHORT = "The end of its output could not be stored on its host: is the disk there full?"
_BECAUSE: Mapping[str, str] = {
    Intent.CANCEL: "It was cancelled",
    Intent.GIVE_UP: "It was given up",
}
READ_BACK = 1_000_000  # bytes of output that samples and captures look at


@dataclass(frozen=True, slots=True)
class Work(Try):
    """A try that is a job on a host; `variables` are its environment."""

    transport: Transport
    stopping: StepEvent | None = None  # why a worker before this one began to stop it

    def clean(self) -> None:
        with suppress(Unreachable):  # `tidying` comes back for it
            self.transport.clean(str(self.attempt.pk))


def ended(work: Work, recorder: Recorder, result: Result, also: str = "") -> None:
    """`also`: a sentence on how that came about."""
    recorder.finish()
    text = ""
    if work.definition.samples or work.definition.attributes.capture:
        text = read(work.attempt.pk, 0, READ_BACK).decode(errors="replace")
    judged = outcome.judge(work.definition, result.exit_code, text)
    if not judged.note and work.definition.kind in SHELLS:
        judged = replace(judged, note=_not_carried(result))
    if recorder.short and judged.exit_code != outcome.CUT:  # which asks the same
        judged = replace(judged, note=f"{judged.note} {SHORT}".strip())
    judged = replace(judged, note=f"{judged.note} {also}".strip())
    variables = {**result.variables, **captured(work, judged, text)}
    finish(work, judged, recorder, session(work, variables, result.cwd))


def _not_carried(result: Result) -> str:
    """What later steps will miss of this one's variables, as a sentence; empty for nothing."""
    if not result.carried:
        return "It set its own EXIT trap or replaced itself: its variables are not carried over."
    if result.dropped:
        return f"Not carried over (arrays, too large, or not text): {', '.join(result.dropped)}."
    return ""


def stopped(work: Work, recorder: Recorder, handle: Handle, event: StepEvent) -> None:
    """Stop it, unless it came to its end before. A stop that was begun is carried through."""
    try:
        result = None if work.stopping else handle.result_now()
        if result is None:
            say_stopping(work.run.hand, work.attempt, event)
            report = handle.stop(GRACE)
            failpoint("attempt.stopped")
            ended_by_us(work, recorder, handle, work.stopping or event, report)
        elif recorder.drain(handle, over=True):
            ended(work, recorder, result, BEFORE)
        elif handle.lost is not None:
            unconfirmed(work, recorder, handle.lost.error)
    except Unreachable as error:
        unconfirmed(work, recorder, error)


def say_stopping(hand: Hand, attempt: StepAttempt, event: StepEvent) -> None:
    """Record that it is asked to end from now on, and why. Raises Superseded."""
    hand.change(STOPPING, {"attempt": attempt.number, "event": event}, attempt.step_id)


def stopping(attempt: StepAttempt) -> StepEvent | None:
    """Why a worker first began to stop it; None if none did."""
    begun = Event.objects.filter(step=attempt.step_id, kind=STOPPING)
    event = begun.filter(data__attempt=attempt.number).values_list("data__event", flat=True).first()
    return StepEvent(event) if event else None


def ended_by_us(
    work: Work, recorder: Recorder, handle: Handle | None, event: StepEvent, report: StopReport
) -> None:
    """It was cancelled, or its time was up."""
    if handle is not None:
        if not recorder.drain(handle, over=True) and handle.lost is not None:
            unconfirmed(work, recorder, handle.lost.error)  # and the rest of it is fetched later
            return
        recorder.finish(cut=True)
    if report.gone:
        note = stopped_note(work, event, handle)
    else:
        note = f"{because(work, event)}, but {left(work.step.host, report)}"
    finish(work, Outcome(event, note), recorder)


def stopped_note(work: Work, event: StepEvent, handle: Handle | None) -> str:
    """That it is gone, and the exit code that it left on its host, if it had the time."""
    code = exit_code(handle)
    told = "" if code is None else f" Its exit code was {code}."
    return f"{because(work, event)}; its processes are gone, verified.{told}"


def exit_code(handle: Handle | None) -> int | None:
    """The one that it left, if it left any."""
    try:
        result = handle.result() if handle is not None else None
    except Vanished:
        return None
    return result.exit_code if result else None


def because(work: Work, event: StepEvent) -> str:
    """Why it was stopped, as the beginning of a sentence."""
    if event is StepEvent.TIME_OUT:
        return f"It did not end within {work.definition.attributes.timeout:g} s"
    return _BECAUSE.get(work.run.hold.intent, "It was stopped for the rollback")


def left(host: str, report: StopReport) -> str:
    """What could not be ended, as the end of a sentence, and what to do."""
    numbers = ", ".join(map(str, report.left))
    return f"processes are left on {host}: {numbers}. End them by hand."


def unconfirmed(work: Work, recorder: Recorder, error: Unreachable) -> None:
    """It was to be stopped, and its host cannot be asked: that is no end that anybody saw."""
    recorder.finish(cut=True)
    finish(work, Outcome(StepEvent.INTERRUPT, doubt(error)), recorder, unconfirmed=True)


def doubt(error: Unreachable) -> str:
    """That nobody knows whether it stopped, why, and what can be done."""
    return f"{DOUBT} {error.host} cannot be reached. {error.why} {error.mend} {ASKED}"


def unknown(work: Try, recorder: Recorder, why: str) -> None:
    """Its host is no longer the one that it was sent to: nobody looks there how it ended."""
    note = (
        f"{why} This step had been sent before: how far it came, and whether it still runs there, "
        "is not known."
    )
    asked_to_stop = work.run.hold.ending
    judged = Outcome(StepEvent.INTERRUPT, f"{note} {ASKED}" if asked_to_stop else note)
    finish(work, judged, recorder, unconfirmed=asked_to_stop, unseen=True)


def interrupted(work: Work, recorder: Recorder, found: Found, why: str, *, ran: bool) -> None:
    """It left no result that can be believed. `why` is a sentence; `ran`: it was seen to run."""
    if found.handle is not None:
        recorder.drain(found.handle, over=True)
        recorder.finish(cut=True)
    began = ran or recorder.offset > 0 or found.presence is not Presence.ABSENT
    note = f"{why} {'How far it came' if began else 'Whether it began'} is not known."
    if work.definition.attributes.idempotent:
        finish(work, Outcome(StepEvent.TRY_AGAIN, note), recorder)
        return
    note += f" Look on {work.step.host} what it has done, then retry it or mark it as done."
    finish(work, Outcome(StepEvent.INTERRUPT, note), recorder)


def captured(work: Try, judged: Outcome, text: str) -> dict[str, str]:
    """The variable that this output becomes, if the document says so."""
    name = work.definition.attributes.capture
    if not name or judged.event is not StepEvent.SUCCEED:
        return {}
    return {name: text.replace("\0", "").strip()}  # as a shell does: no variable holds a NUL


def session(work: Try, variables: dict[str, str], cwd: str) -> dict[str, Any]:
    """What later steps start with, by host, as far as it changed."""
    before = work.run.execution.session.get(work.step.host, {})
    after = context.after(
        before, work.variables, variables, cwd, context.secrets(work.run.execution)
    )
    return {} if after == before else {work.step.host: after}


def everywhere(work: Try, variables: dict[str, str]) -> dict[str, Any]:
    """The same of a step of no host: for the steps of all hosts, whatever a host had before."""
    known = work.run.execution.session
    masked = context.secrets(work.run.execution)
    found: dict[str, Any] = {}
    for name in variables:
        found |= context.without({**known, **found}, name)
    left = found.get("", known.get("", {}))
    return {**found, "": context.after(left, {}, variables, "", masked)} if variables else {}


def finish(
    work: Try,
    judged: Outcome,
    recorder: Recorder,
    session: dict[str, Any] | None = None,
    *,
    unconfirmed: bool = False,
    unseen: bool = False,
) -> None:
    """Record the end of the attempt and what becomes of the step, durably and at once.

    `unseen`: nobody has seen that it ended; `unconfirmed`: nor that it stopped when it was asked to.
    """
    run, step = work.run, work.step
    again = not run.hold.ending and outcome.may_retry(work.definition, judged.event, step.tries)
    undoes = judged.event is StepEvent.SUCCEED and run.rolling_back
    event = StepEvent.TRY_AGAIN if again else judged.event
    with transaction.atomic() if undoes else nullcontext():
        _record(
            work,
            judged,
            event,
            recorder,
            session,
            unconfirmed=unconfirmed,
            unseen=unseen or unconfirmed,
        )
        if undoes:
            rollback.mark_undone(run.plan, step)
    failpoint("attempt.finished")
    if not unconfirmed:
        work.clean()
    step.state, step.unconfirmed = STEP_MOVES[event].destination, unconfirmed
    step.exit_code = judged.exit_code
    if again:
        step.refresh_from_db(fields=["due_at"])
    run.execution.session |= session or {}


def _record(
    work: Try,
    judged: Outcome,
    event: StepEvent,
    recorder: Recorder,
    session: dict[str, Any] | None,
    *,
    unconfirmed: bool,
    unseen: bool,
) -> None:
    run = work.run
    fields: dict[str, Any] = {}
    if session:
        fields["session"] = Merge(session)  # other hosts' steps end at this time
    if run.hold.lost_before:
        fields["lost_leases"] = 0  # there was progress
        run.hold.lost_before = 0
    due = None
    if event is StepEvent.TRY_AGAIN and judged.event is not event:
        due = InSeconds(outcome.backoff(work.definition, work.step.tries, random.random()))  # noqa: S311
    told = {"attempt": work.attempt.number, "note": judged.note}
    seq = run.hand.step(
        work.step.pk,
        event,
        told | ({UNSEEN: work.attempt.number} if unseen else {}),
        execution=fields,
        also=_over(work.attempt, judged, recorder, seen=not unseen),
        exit_code=judged.exit_code,
        note=judged.note,
        sample=judged.sample,
        sample_detail=judged.sample_detail,
        due_at=due,
        unconfirmed=unconfirmed,
        finished_at=DatabaseNow,
    )
    announce(run.id, seq)


def _over(attempt: StepAttempt, judged: Outcome, recorder: Recorder, *, seen: bool) -> Also:
    """`seen`: that it is over; else its directory may be in use."""
    state = (
        StepState.INTERRUPTED
        if judged.event is StepEvent.TRY_AGAIN
        else STEP_MOVES[judged.event].destination
    )
    some = recorder.newest is not None
    return Also(
        """
        UPDATE executions_stepattempt SET state = %s, finished_at = statement_timestamp(),
               exit_code = %s, output_size = %s, output_digest = %s,
               clean_at = statement_timestamp() + make_interval(secs => %s)
          FROM s WHERE executions_stepattempt.id = %s
        """,
        (
            *(state, judged.exit_code, recorder.offset, recorder.digest),
            FIRST if seen and attempt.spool else None,
            attempt.pk,
        ),
        STORED if some else "TRUE",
        (attempt.pk, recorder.newest) if some else (),
    )
