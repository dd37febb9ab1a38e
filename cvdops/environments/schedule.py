"""When an environment may be changed: windows, freezes and holds as values, and what follows. Pure.

All times are UTC and aware. A span contains its beginning and not its end.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from dateutil.rrule import rrule, rrulestr

from cvdops.lib.errors import Reason

HORIZON = timedelta(days=400)  # how far one looks for the next opening
# The RFC 5545 rules that a period may have: each of them has an occurrence within any four years.
_DAYS = r"(?:MO|TU|WE|TH|FR|SA|SU)"
RULE = (
    rf"\A(?:FREQ=DAILY|FREQ=WEEKLY(?:;BYDAY={_DAYS}(?:,{_DAYS})*)?"
    rf"|FREQ=MONTHLY(?:;BYDAY=(?:[1-4]|-1){_DAYS})?|FREQ=YEARLY)"
    r"(?:;INTERVAL=[1-9][0-9]?)?(?:;UNTIL=[0-9]{8}T[0-9]{6}Z)?\Z"
)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `start` until before `end`."""

    start: datetime
    end: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A window or a freeze: its first time, and the rule by which it comes again (RFC 5545)."""

    name: str
    start: datetime
    length: timedelta
    rule: str = ""  # empty: it is once

    def spans(self, since: datetime, until: datetime) -> Iterator[Span]:
        """Its times that have a part in `since` … `until`, in order."""
        for start in self._starts(since - self.length, until):
            if start + self.length > since:
                yield Span(start, start + self.length)

    def _starts(self, since: datetime, until: datetime) -> Iterator[datetime]:
        if not self.rule:
            if since <= self.start < until:
                yield self.start
            return
        for start in _rule(self.rule, self.start).xafter(since, inc=True):
            if start >= until:
                return
            yield start


@lru_cache(maxsize=256)
def _rule(rule: str, start: datetime) -> rrule:
    found = rrulestr(rule, dtstart=start, cache=True)
    if not isinstance(found, rrule):
        raise ValueError(f"{rule!r} is more than one rule.")
    return found


@dataclass(frozen=True, slots=True)
class Calendar:
    """The windows and freezes of an environment. Without a window it is not bound to any."""

    windows: tuple[Recurrence, ...] = ()
    freezes: tuple[Recurrence, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """How an environment stands at a moment."""

    bound: bool  # it has windows
    open: bool  # it may be changed
    until: datetime | None = None  # if it is open: when that ends, if it does
    opening: Span | None = None  # if it is not: when it may be changed next
    freeze: str = ""  # the freeze that is in force
    thaw: datetime | None = None  # when that ends


def state(calendar: Calendar, at: datetime) -> State:
    """Whether the environment may be changed at this moment, until when or from when."""
    moment = timedelta(microseconds=1)
    freeze = next(
        ((f.name, s.end) for f in calendar.freezes for s in f.spans(at, at + moment)), ("", None)
    )
    found = next((span for span in openings(calendar, at) if span.end > at), None)
    if found and at in found:
        endless = found.end >= at + HORIZON
        return State(bool(calendar.windows), True, None if endless else found.end)
    return State(bool(calendar.windows), False, None, found, *freeze)


def openings(calendar: Calendar, since: datetime, horizon: timedelta = HORIZON) -> Iterator[Span]:
    """When the environment may be changed from `since` on, in order: in its windows, outside its freezes."""
    until = since + horizon
    if not calendar.windows:
        yield from _without([Span(since, until)], calendar.freezes)
        return
    step, reached = timedelta(days=32), since
    held: Span | None = None  # it may touch the next one
    while reached < until:
        reached, before = min(reached + step, until), reached
        found = (s for w in calendar.windows for s in w.spans(before, reached))
        for span in merged(([held] if held else []) + list(found)):
            if held and held.start != span.start:
                yield from _without([held], calendar.freezes)
            held = span
    if held:
        yield from _without([held], calendar.freezes)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time as spans that neither touch nor overlap, in order."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def _without(spans: Sequence[Span], freezes: Iterable[Recurrence]) -> Iterator[Span]:
    for span in spans:
        closed = merged(s for f in freezes for s in f.spans(span.start, span.end))
        start = span.start
        for gap in closed:
            if gap.start > start:
                yield Span(start, gap.start)
            start = max(start, gap.end)
        if start < span.end:
            yield Span(start, span.end)


def overlap(one: Recurrence, other: Recurrence, since: datetime) -> Span | None:
    """The first time that two windows have in common, looked for as far as the horizon."""
    until = since + HORIZON
    theirs = list(other.spans(since, until))
    for mine in one.spans(since, until):
        for span in theirs:
            start, end = max(mine.start, span.start), min(mine.end, span.end)
            if start < end:
                return Span(start, end)
    return None


def overlaps_itself(recurrence: Recurrence) -> bool:
    """Whether it comes again before it is over."""
    until = recurrence.start + HORIZON
    spans = list(recurrence.spans(recurrence.start, until))
    return any(a.end > b.start for a, b in pairwise(spans))


@dataclass(frozen=True, slots=True)
class Held:
    """A hold that is in force."""

    what: str  # "production", "the runbook Deployment", "everything"
    reason: str
    owner: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be started, as far as windows and freezes ask."""

    read_only: bool = False
    incident: bool = False
    emergency: bool = False

    @property
    def bound(self) -> bool:
        """Whether it may only be started while the environment may be changed."""
        return not (self.read_only or self.incident or self.emergency)


def obstacles(
    environment: str, standing: State, holds: Iterable[Held], work: Work
) -> tuple[Reason, ...]:
    """What stands in the way of a start: nothing passes a hold; windows bind what changes something."""
    reasons = [_hold(hold) for hold in holds]
    if work.bound and not standing.open:
        reasons.append(_closed(environment, standing))
    return tuple(reasons)


def _hold(hold: Held) -> Reason:
    return Reason(
        "hold",
        f"{hold.owner} has put a hold on {hold.what} until {said(hold.until)}: {hold.reason}",
        f"Ask {hold.owner}, or an Operations Lead to lift the hold.",
    )


def _closed(environment: str, standing: State) -> Reason:
    if standing.opening is None:
        then, remedy = "No window is planned.", "Have one added"
    else:
        opening = standing.opening
        length = _length(opening.end - opening.start)
        then = f"The next window opens on {said(opening.start)} and is open for {length}."
        remedy = "Start it in the next window"
    if standing.freeze and standing.thaw:
        text = f"{environment} is frozen until {said(standing.thaw)}: {standing.freeze}."
        code = "freeze"
    else:
        text, code = f"{environment} is changed in its maintenance windows only.", "window"
    return Reason(code, f"{text} {then}", f"{remedy}, or have a Lead declare an emergency.")


def following(standing: State) -> str:
    """When an environment that may not be changed now may be, as sentences."""
    frozen = f"It is frozen: {standing.freeze}. " if standing.freeze else ""
    if standing.opening is None:
        return f"{frozen}No window is planned."
    return f"{frozen}The next window opens on {said(standing.opening.start)}."


def said(moment: datetime) -> str:
    """A time as sentences name it."""
    return f"{moment.astimezone(UTC):%a %d %b %Y %H:%M} UTC"


def _length(length: timedelta) -> str:
    minutes = int(length.total_seconds()) // 60
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours)
    return " ".join(parts)
