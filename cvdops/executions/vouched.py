"""Steps that a Lead marks as done or skips and that may still run, as after a restore: a worker asks the host.

What still runs is not over, whatever anybody says of it: then the word is refused, with the process.
"""

from dataclasses import replace

from django.db import transaction

from cvdops.access.policy import Action
from cvdops.audit.log import record
from cvdops.executions import context, finishing, rollback, stops
from cvdops.executions.hints import announce
from cvdops.executions.models import Event, StepAttempt, StepRun
from cvdops.executions.run import Run
from cvdops.executions.states import STEP_MOVES, Phase, StepEvent, StepState
from cvdops.executions.transitions import Hand
from cvdops.runners.job import StartFailed, Unreachable

REFUSED = "step.word_refused"
_SAID = {StepEvent.SKIP: "Skipped", StepEvent.SETTLE: "Marked as done"}
_ASKED = {f"{event}.asked": event for event in _SAID}


def is_needed(step: StepRun, event: StepEvent) -> bool:
    """Whether a worker has to ask the step's host before this counts."""
    if event not in _SAID or step.state != StepState.INTERRUPTED or step.unconfirmed:
        return False
    return stops.never_seen(step.attempts.order_by("-number")[0])


def give(hand: Hand, step: StepRun, event: StepEvent, comment: str) -> None:
    """Leave the word for the worker that asks the host. Raises Superseded."""
    data = {"attempt": step.attempt_count, "comment": comment}
    hand.change(f"{event}.asked", data, step.pk)


def note(event: StepEvent, name: str, comment: str) -> str:
    """What is said of the step from then on."""
    return f"{_SAID[event]} by {name}: {comment.strip()}"


def decide(run: Run) -> None:
    """Ask the hosts, and let the words count that nothing speaks against."""
    for step in run.steps:
        if step.state == StepState.INTERRUPTED and (word := _word(step)):
            _decide(run, step, word)


def _word(step: StepRun) -> Event | None:
    given = Event.objects.filter(step=step.pk, kind__in=[*_ASKED, REFUSED])
    last = given.select_related("actor").last()
    if last is None or last.kind == REFUSED:
        return None
    return last if last.data["attempt"] == step.attempt_count else None


def _decide(run: Run, step: StepRun, word: Event) -> None:
    event, comment = _ASKED[word.kind], str(word.data["comment"])
    found, left = _seen(run, step, step.attempts.order_by("-number")[0])
    with transaction.atomic():
        if left:
            seq = _refuse(run, step, event, left)
        else:
            assert word.actor is not None  # noqa: S101 — only people give their word
            text = f"{note(event, word.actor.name, comment)} {found}"
            hand = replace(run.hand, actor=word.actor)
            seq = hand.step(step.pk, event, {"comment": comment}, tries=0, note=text)
            if event is StepEvent.SETTLE and step.phase == Phase.ROLLBACK:
                rollback.mark_undone(run.plan, step)
            data = {"verb": event, "step": step.key}
            record(word.actor, Action.OVERRIDE, "execution", run.id, data=data)
            step.state = STEP_MOVES[event].destination
        announce(run.id, seq)


def _refuse(run: Run, step: StepRun, event: StepEvent, left: tuple[int, ...]) -> int:
    text = (
        f"It still runs on {step.host} (process {left[0]}), so it was not {_SAID[event].lower()}. Wait "
        "until it is over, or cancel the execution, which ends it."
    )
    StepRun.objects.filter(pk=step.pk).update(note=text)
    step.note = text
    return run.hand.change(REFUSED, {"host": step.host, "note": text}, step.pk)


def _seen(run: Run, step: StepRun, attempt: StepAttempt) -> tuple[str, tuple[int, ...]]:
    """What its host has of it, as a sentence, and what still runs there."""
    host, key = step.host, str(attempt.pk)
    try:
        transport = context.transport(run.plan.hosts[host])
        found = transport.attach(key)
        left = transport.running(key, found.leader)
    except (Unreachable, StartFailed):
        return f"{host} could not be asked whether it still runs there.", ()
    code = finishing.exit_code(found.handle)
    if code is not None:
        return f"On {host} it had ended by itself, with exit code {code}.", left
    return f"Nothing of it runs on {host} any more.", left
