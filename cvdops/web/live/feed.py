"""What is new in one execution since a position, read from PostgreSQL and encoded once for everybody.

Runs in a thread, a turn at a time, and gives its connection back after each.
"""

import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connections
from django.db.models import F, Max, Min

from cvdops.executions import output
from cvdops.executions.models import Event, Execution, OutputSegment, StepAttempt
from cvdops.executions.states import STEP_STUCK, TERMINAL
from cvdops.live.answers import WITHHELD, is_answer
from cvdops.live.frames import Data, frame
from cvdops.live.pump import Turn
from cvdops.web.live import fragments
from cvdops.web.live.look import look
from cvdops.web.live.tail import clock, newest_lines, terminal_at
from cvdops.web.live.terminal import Line, Terminal

MOST = 512 << 10  # bytes of output that a turn shows in full
NEWEST = 48 << 10  # of a flood, the newest are shown and the rest is said to be left out
PIECE = 32 << 10  # bytes of output in one frame
TERMINALS = 8


@dataclass(frozen=True, slots=True)
class Span:
    """New output of one attempt, in bytes of its stored output."""

    attempt: UUID
    step: UUID
    begin: int
    end: int
    at: datetime  # when the first of it was stored
    withheld: bool  # from those for whom this is


class Feed:
    """Goes through the changes of one execution, turn by turn, from a position on.

    `answers`: it is for those who may read what came back to requests.
    """

    def __init__(self, execution: UUID, position: int, *, answers: bool) -> None:
        self.position = position
        self.cost = 0.0  # seconds of processor time that the last turn took
        self._execution = execution
        self._answers = answers
        self._shown: dict[str, str] = {}
        self._controls = ""
        self._terminals: OrderedDict[UUID, Terminal] = OrderedDict()

    def turn(self, *, refresh: bool = False) -> Turn:
        """Everything up to now. `refresh`: look at the state even if nothing was recorded."""
        began = time.thread_time()
        try:
            return self._turn(refresh=refresh)
        finally:
            connections.close_all()
            self.cost = time.thread_time() - began

    def _turn(self, *, refresh: bool) -> Turn:
        found = Execution.objects.filter(pk=self._execution).values_list("seq", "state").first()
        if found is None or found[0] < self.position:
            return Turn([], self.position, reset=True)
        seq, state = found
        messages: list[tuple[str, Data]] = []
        if seq > self.position:
            spans = self._spans(seq)
            messages += self._outputs(s for s in spans if s.begin)
            messages += self._state(seq)
            messages += self._outputs(s for s in spans if not s.begin)
        elif refresh:
            messages += self._changes(frozenset())
        self.position = seq
        frames = [frame(event, data) for event, data in messages[:-1]]
        frames += [frame(event, data, seq) for event, data in messages[-1:]]
        return Turn(frames, seq, over=state in TERMINAL)

    def _spans(self, seq: int) -> list[Span]:
        new = OutputSegment.objects.filter(
            execution_id=self._execution, seq__gt=self.position, seq__lte=seq
        )
        found = new.values("attempt_id").annotate(
            first=Min("seq"),
            begin=Min("offset"),
            end=Max(F("offset") + F("length")),
            at=Min("created_at"),
        )
        by_attempt = {row["attempt_id"]: row for row in found.order_by("first")}
        attempts = StepAttempt.objects.filter(pk__in=by_attempt).select_related("step")
        steps = {found.pk: found.step for found in attempts.only("step__kind")}
        return [
            Span(
                attempt,
                step.pk,
                row["begin"],
                row["end"],
                row["at"],
                withheld=is_answer(step) and not self._answers,
            )
            for attempt, row in by_attempt.items()
            if (step := steps.get(attempt))
        ]

    def _state(self, seq: int) -> list[tuple[str, Data]]:
        events = Event.objects.filter(
            execution=self._execution, seq__gt=self.position, seq__lte=seq
        )
        touched = list(events.values_list("step_id", flat=True))
        return self._changes(frozenset(filter(None, touched))) if touched else []

    def _changes(self, touched: frozenset[UUID]) -> list[tuple[str, Data]]:
        """The state as it is now, as far as it differs from what was sent."""
        scene = look(self._execution)
        html = fragments.whole(scene, answers=self._answers) | fragments.rows(scene)
        if scene.controls_key != self._controls:
            # What helps with a failed step stands in its card while it waits for a decision, else in its panel.
            touched |= {row.step.pk for row in scene.rows if row.step.state in STEP_STUCK}
        html |= fragments.panels(scene, touched, answers=self._answers)
        known = {name for name in self._shown if name.startswith("row-")}
        if known != {name for name in html if name.startswith("row-")}:
            html |= fragments.rail(scene)
        changed = {name: text for name, text in html.items() if self._shown.get(name) != text}
        if "rail" in changed:
            changed = {name: text for name, text in changed.items() if name[:4] != "row-"}
        self._shown |= {name: text for name, text in html.items() if name != "rail"}
        messages: list[tuple[str, Data]] = []
        if changed:
            messages.append(("state", {**fragments.facts(scene), "fragments": changed}))
        if scene.controls_key != self._controls:
            self._controls = scene.controls_key
            messages.append(("controls", {"key": self._controls}))
        return messages

    def _outputs(self, spans: Iterator[Span]) -> Iterator[tuple[str, Data]]:
        for span in spans:
            yield from self._output(span)

    def _output(self, span: Span) -> Iterator[tuple[str, Data]]:
        if span.withheld:
            lines = [] if span.begin else [Line(0, WITHHELD, False)]
            yield _piece(span, span.begin, span.end, lines)
            return
        terminal = self._terminals.pop(span.attempt, None)
        if terminal is None or terminal.offset < span.begin:
            terminal = terminal_at(span.attempt, span.begin)
        before = terminal.offset
        if span.end <= before:
            return
        begin = before if span.end - before <= MOST else span.end - NEWEST
        data = output.read(span.attempt, begin, span.end - begin)
        begin, data = newest_lines(begin, data, whole=begin == before)
        if begin > before:
            terminal = Terminal(begin)
        for start in range(0, len(data), PIECE):
            offset = terminal.offset
            lines = terminal.feed(data[start : start + PIECE])
            skipped = begin - before if start == 0 else 0
            yield _piece(span, offset, terminal.offset, lines, skipped)
        self._terminals[span.attempt] = terminal
        while len(self._terminals) > TERMINALS:
            self._terminals.popitem(last=False)


def _piece(
    span: Span, begin: int, end: int, lines: list[Line], skipped: int = 0
) -> tuple[str, Data]:
    """Lines of an output; `skipped` bytes before them are not shown."""
    place = {"attempt": str(span.attempt), "step": str(span.step), "offset": begin, "end": end}
    return "output", {**place, "at": clock(span.at), "skipped": skipped, "lines": lines}
