"""What is new in an execution since a position, for programs: each thing that happened is one event.

Runs in a thread, a turn at a time, and gives its connection back after each.
"""

import base64
import time
from collections.abc import Iterator
from heapq import merge
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import Sum
from django.db.models.functions import Now

from cvdops.api.execution import StepShape, items
from cvdops.executions import output
from cvdops.executions.models import Event, Execution, OutputSegment, StepAttempt
from cvdops.executions.states import TERMINAL
from cvdops.lib.moments import rfc3339
from cvdops.lib.text import complete_utf8
from cvdops.live.answers import is_answer
from cvdops.live.frames import Data, frame
from cvdops.live.pump import Turn

AT_ONCE = 200  # events, and as many pieces of output, of one turn
MOST = (
    512 << 10
)  # bytes: of output that is further back than this from its end only the place is told
PIECE = 32 << 10  # bytes of output in one event

Message = tuple[int, str, Data]  # the position, the event's name, what it says


class Feed:
    """Goes through the changes of one execution, turn by turn, from a position on.

    `answers`: it is for those who may read what came back to requests.
    """

    def __init__(self, execution: UUID, position: int, *, answers: bool) -> None:
        self.position = position
        self.cost = 0.0  # seconds of processor time that the last turn took
        self._execution = execution
        self._answers = answers
        self._places: dict[UUID, tuple[dict[str, object], bool]] = {}

    def turn(self, *, refresh: bool = False) -> Turn:  # noqa: ARG002 — nothing is drawn anew
        """Some of what is new."""
        began = time.thread_time()
        try:
            return self._turn()
        finally:
            connections.close_all()
            self.cost = time.thread_time() - began

    def _turn(self) -> Turn:
        found = Execution.objects.filter(pk=self._execution).values_list("seq", "state").first()
        if found is None or found[0] < self.position:
            return Turn([], self.position, reset=True)
        newest, state = found
        if newest == self.position:
            return Turn([], newest, over=state in TERMINAL)
        events = self._events(newest)
        segments = self._segments(newest)
        until = min(
            [newest, *(rows[-1].seq for rows in (events, segments) if len(rows) == AT_ONCE)]
        )
        told = self._changes([event for event in events if event.seq <= until])
        written = self._outputs([s for s in segments if s.seq <= until], newest)
        messages = list(merge(told, written, key=lambda message: message[0]))
        self.position = until
        more = until < newest
        return Turn(
            _frames(messages),
            until,
            over=not more and state in TERMINAL,
            positions=[position for position, _, _ in messages],
            more=more,
        )

    def _events(self, newest: int) -> list[Event]:
        found = Event.objects.filter(
            execution=self._execution, seq__gt=self.position, seq__lte=newest
        )
        return list(found.select_related("actor", "step").order_by("seq")[:AT_ONCE])

    def _segments(self, newest: int) -> list[OutputSegment]:
        return list(self._output(newest).defer("data").order_by("seq")[:AT_ONCE])

    def _output(self, newest: int) -> Any:
        return OutputSegment.objects.filter(
            execution_id=self._execution, seq__gt=self.position, seq__lte=newest
        )

    def _changes(self, events: list[Event]) -> Iterator[Message]:
        """Each with the execution, or its step, as it is now."""
        whole = None
        for event in events:
            told: dict[str, object] = {
                "seq": event.seq,
                "at": rfc3339(event.at),
                "kind": event.kind,
                "user": event.actor.username if event.actor else None,
                "text": str(event.data.get("text") or event.data.get("reason") or ""),
                "comment": str(event.data.get("comment") or ""),
            }
            if event.step:
                shape = StepShape.of(event.step).model_dump(mode="json")
                yield event.seq, "step", {**told, "step": shape}
            else:
                whole = whole or self._whole()
                yield event.seq, "execution", {**told, "execution": whole}

    def _whole(self) -> dict[str, Any]:
        found = Execution.objects.select_related("version", "requested_by").annotate(now=Now())
        found = found.defer("plan", "session", "version__source", "version__diagnostics")
        (item,) = items([found.get(pk=self._execution)])
        return item.model_dump(mode="json")

    def _outputs(self, segments: list[OutputSegment], newest: int) -> Iterator[Message]:
        """The pieces; of a flood the older ones only as places, which the call for output fills."""
        left = self._output(newest).aggregate(sum=Sum("length"))["sum"] or 0 if segments else 0
        self._learn({segment.attempt_id for segment in segments})
        for segment in segments:
            place, answer = self._places[segment.attempt_id]
            end = segment.offset + segment.length
            whole = {**place, "offset": segment.offset, "next_offset": end}
            if answer and not self._answers:
                yield segment.seq, "output", {**whole, "withheld": True}
            elif left > MOST:
                yield segment.seq, "output", {**whole, "skipped": True}
            else:
                yield from self._pieces(segment, place)
            left -= segment.length

    def _pieces(self, segment: OutputSegment, place: dict[str, object]) -> Iterator[Message]:
        data = output.read(segment.attempt_id, segment.offset, segment.length)
        begin = 0
        while begin < len(data):
            piece = complete_utf8(data[begin : begin + PIECE]) or data[begin : begin + PIECE]
            at = {
                "offset": segment.offset + begin,
                "next_offset": segment.offset + begin + len(piece),
            }
            yield segment.seq, "output", {**place, **at, **_content(piece)}
            begin += len(piece)

    def _learn(self, attempts: set[UUID]) -> None:
        found = StepAttempt.objects.filter(pk__in=attempts - self._places.keys())
        for attempt in found.select_related("step"):
            step = attempt.step
            place = {"step": step.key, "host": step.host, "attempt": attempt.number}
            self._places[attempt.pk] = place, is_answer(step)


def _content(piece: bytes) -> dict[str, object]:
    """As text, or where it is none as the bytes themselves."""
    try:
        return {"text": piece.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(piece).decode()}


def _frames(messages: list[Message]) -> list[bytes]:
    """With its position where nothing of the same position follows: what came before it is complete then."""
    following = [message[0] for message in messages[1:]]
    return [
        frame(name, data, None if position == after else position)
        for (position, name, data), after in zip(messages, [*following, None], strict=True)
    ]
