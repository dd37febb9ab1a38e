"""Events of an execution as sentences, and its notes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from cvdops.accounts.models import User
from cvdops.executions.models import Event, Participant
from cvdops.lib.together import Fixed

SHOWN = 60
LOOKED_AT = 400  # the newest events; beyond them lie no more than old notes
EVIDENCE = 5000  # entries of the whole of it
NOTE = "note"
_ACTOR = "{actor} "
_PARTS = frozenset({"participant.join", "participant.leave"})

# kind → icon and sentence. What is not here is of interest to the engine alone.
_SENTENCES: Mapping[str, tuple[str, str]] = {
    "execution.start": ("play", "{actor} started it"),
    "execution.admitted": ("calendar-check", "Its window opened: it begins"),
    "execution.moved": ("calendar-clock", "{text}"),
    "emergency.declared": ("siren", "{actor} declared an emergency. {text}"),
    "emergency.reviewed": ("clipboard-check", "{actor} reviewed the emergency"),
    "execution.claim_rollback": ("undo-2", "The rollback began"),
    "execution.wait": ("hand", "Waits. {text}"),
    "execution.pause": ("pause", "Paused"),
    "execution.hold": ("pause", "Paused: the database was restored from a backup of {text}"),
    "execution.resume": ("play", "{actor} resumed it"),
    "execution.resume_from": ("step-forward", "{actor} went on from another step"),
    "execution.succeed": ("check", "Succeeded"),
    "execution.fail": ("x", "Failed"),
    "execution.reject": ("ban", "Rejected"),
    "execution.expire": ("timer-off", "Expired"),
    "execution.cancel": ("square", "Cancelled"),
    "execution.roll_back": ("undo-2", "{actor} asked for the rollback"),
    "execution.finish_rollback": ("undo-2", "Rolled back"),
    "pause.asked": ("pause", "{actor} asked for a pause after the running step"),
    "pause.withdrawn": ("play", "{actor} took the pause back"),
    "cancel.asked": ("square", "{actor} asked to cancel"),
    "give_up.asked": ("x", "{actor} gives it up"),
    "settle.asked": ("check", "{actor} marks {step} as done: its host is asked"),
    "skip.asked": ("skip-forward", "{actor} skips {step}: its host is asked"),
    "step.succeed": ("check", "{step}: done"),
    "step.fail": ("x", "{step}: failed"),
    "step.time_out": ("timer-off", "{step}: timed out"),
    "step.interrupt": ("unplug", "{step}: interrupted"),
    "step.found": ("unplug", "{step}: it had been sent before, and its run is followed"),
    "step.connection_lost": ("unplug", "{step}: the connection to {host} was lost"),
    "step.connection_back": ("plug", "{step}: the connection to {host} is back"),
    "step.remains": ("unplug", "{step}: it can leave no result any more, and still runs on {host}"),
    "step.seen": ("plug", "{step}: {note}"),
    "step.omit": ("skip-forward", "{step}: skipped"),
    "step.try_again": ("rotate-cw", "{step}: is tried again"),
    "step.retry": ("rotate-cw", "{actor} retried {step}"),
    "step.skip": ("skip-forward", "{actor} skipped {step}"),
    "step.settle": ("check", "{actor} marked {step} as done"),
    "step.word_refused": ("unplug", "{step}: {note}"),
    "step.reset": ("rotate-cw", "{step}: is to run again"),
    "step.leave_out": ("skip-forward", "{step}: skipped"),
    "step.reject": ("ban", "{actor} rejected {step}"),
    "step.expire": ("timer-off", "{step}: nobody decided in time"),
    "step.cancel": ("square", "{step}: stopped"),
    "step.confirm": ("check", "{actor} confirmed items of {step}"),
    "approval.decision": ("stamp", "{actor} decided on the approval"),
    "approval.anew": ("stamp", "{step} is asked for anew. {reason}"),
    "checklist.after": ("list-checks", "{actor} confirmed an item of the closing list"),
    "participant.join": ("user-plus", "{actor} takes part as {text}"),
    "participant.leave": ("user-minus", "{actor} takes part no longer"),
    "participant.hand_over": ("users", "{actor} handed it over to {text}"),
    "health.result": ("heart-pulse", "The environment was watched. {text}"),
    "execution.closed": ("archive", "It is closed: everything after the end is done"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the timeline."""

    at: datetime
    icon: str
    text: str
    comment: str


@dataclass(frozen=True, slots=True)
class Note:
    at: datetime
    author: str
    text: str


@Fixed
def events(execution_id: UUID) -> QuerySet[Event]:
    """Those that the page tells of, newest first."""
    found = Event.objects.filter(execution=execution_id, kind__in=[*_SENTENCES, NOTE])
    found = found.exclude(data__contains={"again": True})  # a wait that goes on
    return found.select_related("actor", "step").order_by("-seq")[:LOOKED_AT]


def told(events: Sequence[Event]) -> tuple[tuple[Entry, ...], tuple[Note, ...]]:
    """The timeline of these, newest first, and the notes, oldest first."""
    entries = [_entry(event) for event in events if event.kind != NOTE]
    notes = [_note(event) for event in reversed(events) if event.kind == NOTE]
    return tuple(entries[:SHOWN]), tuple(notes)


def every(execution_id: UUID) -> QuerySet[Event]:
    """All that there is to tell, and the notes, oldest first, as far as it goes (see EVIDENCE)."""
    found = Event.objects.filter(execution=execution_id, kind__in=[*_SENTENCES, NOTE])
    found = found.exclude(data__contains={"again": True}).select_related("actor", "step")
    return found.order_by("seq")[:EVIDENCE]


def lines(events: Iterable[Event]) -> tuple[Entry, ...]:
    """The timeline of these, in their order, without the notes."""
    return tuple(_entry(event) for event in events if event.kind != NOTE)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who had a part in it, or did something to it."""

    user: User
    parts: tuple[Participant, ...]
    did: tuple[str, ...]


def people(participants: Iterable[Participant], events: Iterable[Event]) -> list[Person]:
    """Everybody of whom these tell, the participants first."""
    parts: dict[User, list[Participant]] = {}
    did: dict[User, Counter[str]] = {}
    for participant in participants:
        parts.setdefault(participant.user, []).append(participant)
    for event in events:
        if event.actor and (deed := _deed(event)):
            did.setdefault(event.actor, Counter())[deed] += 1
    return [
        Person(
            user, tuple(parts.get(user, ())), tuple(map(_times, did.get(user, Counter()).items()))
        )
        for user in dict.fromkeys([*parts, *did])
    ]


def _deed(event: Event) -> str:
    """What the actor did, without the name; empty where only the portal acted, or for a part."""
    if event.kind == NOTE:
        return "wrote a note"
    _, sentence = _sentence(event)
    by_person = sentence.startswith(_ACTOR) and event.kind not in _PARTS
    return _filled(sentence.removeprefix(_ACTOR), event) if by_person else ""


def _times(counted: tuple[str, int]) -> str:
    deed, count = counted
    return f"{deed} ({count} times)" if count > 1 else deed


def _note(event: Event) -> Note:
    author = event.actor.name if event.actor else ""
    return Note(event.at, author, str(event.data.get("text", "")))


def _entry(event: Event) -> Entry:
    icon, sentence = _sentence(event)
    actor = event.actor.name if event.actor else "The portal"
    text = _filled(sentence, event, actor)
    return Entry(event.at, icon, text, str(event.data.get("comment") or ""))


def _sentence(event: Event) -> tuple[str, str]:
    if event.kind == "step.succeed" and "request" in event.data:
        return "stamp", "{actor} approved {step}"
    if event.kind == "step.reset" and "reason" in event.data:
        return "stamp", "{step} counts no more, and is asked for anew. {reason}"
    return _SENTENCES[event.kind]


def _filled(sentence: str, event: Event, actor: str = "") -> str:
    return sentence.format(
        actor=actor,
        step=f"“{event.step.title}”" if event.step else "a step",
        text=event.data.get("text", ""),
        host=event.data.get("host", ""),
        reason=event.data.get("reason", ""),
        note=event.data.get("note", ""),
    ).strip()
