"""What the page shows of a step's output, and how its links lead on, as its address asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q

from cvdops.executions.models import StepAttempt, StepRun
from cvdops.lib.errors import NotFound
from cvdops.live.search import Found, search
from cvdops.web.live.scene import Row
from cvdops.web.live.tail import Tail, excerpt, withheld

Query = Mapping[str, str]


def attempt_of(step: StepRun, query: Query) -> StepAttempt:
    """The attempt of the number or id `attempt`; without it, the latest. Raises NotFound."""
    attempts, wanted = step.attempts.order_by("-number"), query.get("attempt")
    if wanted is not None:
        attempts = attempts.filter(_named(wanted))
    found = attempts.first()
    if found is None:
        raise NotFound("output")
    return found


def _named(wanted: str) -> Q:
    if wanted.isdecimal():
        return Q(number=int(wanted[:6]))
    try:
        return Q(pk=UUID(wanted))
    except ValueError:
        raise NotFound("output") from None


def part(attempt: StepAttempt, query: Query, *, readable: bool) -> Tail:
    """The lines that a query asks for; of an output that this person may not read, a sentence."""
    return excerpt(attempt, query) if readable else withheld(attempt)


@dataclass(frozen=True, slots=True)
class Reading:
    """The part of an output that is shown, with the words that are looked for."""

    row: Row
    attempt: StepAttempt
    shown: Tail
    query: Query
    found: Found | None = None

    @property
    def pinned(self) -> bool:
        """It stays at this attempt, whatever else the step does."""
        return "attempt" in self.query

    @property
    def rests(self) -> bool:
        """It is not at the newest lines, and does not follow them."""
        return self.pinned or self.shown.marked >= 0 or self.shown.end < self.shown.size

    @property
    def place(self) -> int:
        """Which of the lines that were found is shown, from 1; 0 without any."""
        if not self.found or self.shown.marked not in self.found.hits:
            return 0
        return self.found.passed_over + self.found.hits.index(self.shown.marked) + 1

    def url(self, **change: object) -> str:
        """The address of the page that shows another part."""
        kept = {name: self.query[name] for name in ("q", "times") if self.query.get(name)}
        fields = {"step": self.row.link, "attempt": self.attempt.pk, **kept, **change}
        given = {name: value for name, value in fields.items() if value != ""}
        return f"?{urlencode(given)}#term"

    @property
    def older(self) -> str:
        return self.url(before=self.shown.begin) if self.shown.begin > self.shown.oldest else ""

    @property
    def newer(self) -> str:
        return self.url(after=self.shown.end) if self.shown.end < self.shown.size else ""

    @property
    def previous(self) -> str:
        return self._hit(-1)

    @property
    def next(self) -> str:
        return self._hit(1)

    def _hit(self, step: int) -> str:
        if not self.found or not self.place:
            return ""
        index = self.place - self.found.passed_over - 1 + step
        return self.url(at=self.found.hits[index]) if 0 <= index < len(self.found.hits) else ""

    @property
    def with_times(self) -> str:
        times = "" if self.query.get("times") else 1
        return self.url(times=times, before=self.shown.end)


def read(row: Row | None, query: Query, *, answers: bool) -> Reading | None:
    """None for a step that has not begun. Raises NotFound for an attempt that is not there."""
    if row is None or row.attempt is None:
        return None
    attempt = attempt_of(row.step, query) if "attempt" in query else row.attempt
    readable = answers or not row.is_answer
    words = query.get("q", "").strip()
    if not words or not readable:
        return Reading(row, attempt, part(attempt, query, readable=readable), query)
    found = search(attempt, words)
    asked = {name: query[name] for name in ("at", "before", "after", "times") if name in query}
    if found.hits and not asked.keys() & {"at", "before", "after"}:
        asked["at"] = str(found.hits[-1])
    return Reading(row, attempt, part(attempt, asked, readable=True), query, found)
