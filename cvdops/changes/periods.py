"""The kinds `window` and `freeze`: when an environment may be changed. Their key is `environment/name`.

Both are security data: adding, changing and removing one takes a second person.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.changes.kind import Value
from cvdops.environments import calendar
from cvdops.environments.models import Environment, Period
from cvdops.environments.repetition import words
from cvdops.environments.schedule import (
    RULE,
    Calendar,
    Recurrence,
    openings,
    overlap,
    overlaps_itself,
    said,
)
from cvdops.lib.errors import NotFound, Problem
from cvdops.lib.moments import rfc3339

LONGEST = timedelta(days=366)
_FIELDS = {"starts_at": str, "minutes": int, "rule": str}


def key(environment: str, name: str) -> str:
    return f"{environment}/{name}"


def value(recurrence: Recurrence) -> Value:
    return {
        "starts_at": rfc3339(recurrence.start),
        "minutes": int(recurrence.length.total_seconds()) // 60,
        "rule": recurrence.rule,
    }


@dataclass(slots=True)
class Periods:
    """One of the two kinds."""

    of: Period.Kind
    CALLED: str

    def title(self, key: str) -> str:
        environment, name = _parts(key)
        return f"{self.CALLED} “{name}” of {environment.slug}"

    def address(self, _key: str) -> str:
        return "environments"

    def visible(self, _user: User, _key: str) -> bool:
        return True

    def action(self, _key: str) -> Action:
        return Action.EDIT_WINDOWS

    def current(self, key: str) -> Value:
        period = self._stored(key)
        return value(period.recurrence) if period else None

    def check(self, key: str, after: Value) -> Sequence[Problem]:
        if after is None:
            return []
        environment, name = _parts(key)
        found = _recurrence(name, after)
        if isinstance(found, Problem):
            return [found]
        problems = list(_alone(found))
        if not problems and self.of == Period.Kind.WINDOW:
            problems = list(_beside(environment, found))
        return problems

    def guarded(self, _key: str, _before: Value, _after: Value) -> bool:
        return True

    def about(self, _key: str, _before: Value, _after: Value) -> frozenset[UUID]:
        return frozenset()

    def apply(self, key: str, after: Value) -> None:
        environment, name = _parts(key)
        same: dict[str, Any] = {"environment": environment, "kind": self.of, "name": name}
        if after is None:
            Period.objects.filter(**same).delete()
            return
        starts_at = datetime.fromisoformat(after["starts_at"])
        fields = {**after, "starts_at": starts_at}
        Period.objects.update_or_create(**same, defaults=fields)

    def sentences(self, key: str, before: Value, after: Value) -> Sequence[str]:
        environment, _, name = key.partition("/")
        what = f"{self.CALLED} “{name}” of {environment}"
        if after is None:
            return [f"The {what} ({_when(name, before)}) is taken away."]
        if before is None:
            return [f"A new {what}: {_when(name, after)}."]
        return [f"The {what}: {_when(name, before)} → {_when(name, after)}."]

    def consequences(self, key: str, after: Value) -> Sequence[str]:
        """When the environment could be changed next, now and then."""
        environment, name = _parts(key)
        now, moment = calendar.calendar(environment.slug), calendar.now()
        windows, freezes = (
            tuple(r for r in of if (kind, r.name) != (self.of, name))
            for kind, of in ((Period.Kind.WINDOW, now.windows), (Period.Kind.FREEZE, now.freezes))
        )
        found = _recurrence(name, after) if after else None
        more = (found,) if isinstance(found, Recurrence) else ()
        window = self.of == Period.Kind.WINDOW
        then = Calendar(windows + (more if window else ()), freezes + (() if window else more))
        if now.windows and not then.windows:
            return [f"{environment.slug} has no window left: it could be changed at any time."]
        if then.windows and not now.windows:
            said_ = _next(then, moment)
            return [f"{environment.slug} could be changed in its windows only. {said_}"]
        return [f"Now: {_next(now, moment)}", f"Then: {_next(then, moment)}"]

    def _stored(self, key: str) -> Period | None:
        environment, name = _parts(key)
        return Period.objects.filter(environment=environment, kind=self.of, name=name).first()


def _next(of: Calendar, moment: datetime) -> str:
    span = next((s for s in openings(of, moment) if s.end > moment), None)
    if span is None:
        return "No time in which it may be changed is planned."
    if not of.windows and not of.freezes:
        return "It may be changed at any time."
    return f"It may be changed next from {said(span.start)} until {said(span.end)}."


def _recurrence(name: str, after: dict[str, Any]) -> Recurrence | Problem:
    """The value as a recurrence, or what is wrong with its form."""
    if set(after) != set(_FIELDS) or not all(
        isinstance(after[field], kind) for field, kind in _FIELDS.items()
    ):
        return Problem("name", "A window has a first time, a length and a rule, and nothing else.")
    if not 1 <= len(name) <= 80 or not name.isprintable():
        return Problem("name", "Give it a name of at most 80 letters.")
    try:
        start = datetime.fromisoformat(after["starts_at"])
    except ValueError:
        return Problem("starts_at", "This is no time.")
    if start.utcoffset() != timedelta(0) or not 2000 <= start.year <= 2200:
        return Problem("starts_at", "The time is one in UTC, of this century or the next.")
    if after["minutes"] <= 0:
        return Problem("ends_at", "It ends before it begins.")
    if after["minutes"] > LONGEST.total_seconds() // 60:
        return Problem("ends_at", "It lasts a year at most.")
    if after["rule"] and not re.fullmatch(RULE, after["rule"]):
        return Problem("repetition", "It comes again by a rule that the portal does not know.")
    return Recurrence(name, start, timedelta(minutes=after["minutes"]), after["rule"])


def _alone(found: Recurrence) -> Sequence[Problem]:
    first = next(found.spans(found.start, found.start + timedelta(days=1500)), None)
    if first is None or first.start != found.start:
        return [Problem("last", "It never comes: its last day lies before its first.")]
    if overlaps_itself(found):
        return [Problem("ends_at", "It comes again before it is over: shorten it.")]
    if not found.rule and found.start + found.length <= calendar.now():
        ended = said(found.start + found.length)
        text = f"It was over on {ended}: it would change nothing. Give it a time that is still to come."
        return [Problem("ends_at", text)]
    return []


def _beside(environment: Environment, found: Recurrence) -> Sequence[Problem]:
    since = max(found.start, calendar.now())
    for other in calendar.calendar(environment.slug).windows:
        if other.name != found.name and (span := overlap(found, other, since)):
            text = (
                f"It overlaps with “{other.name}”, first on {said(span.start)}. "
                "Change that one, or move this one."
            )
            return [Problem("starts_at", text)]
    return []


def _when(name: str, given: Value) -> str:
    found = _recurrence(name, given) if given else None
    return words(found) if isinstance(found, Recurrence) else "?"


def _parts(key: str) -> tuple[Environment, str]:
    slug, _, name = key.partition("/")
    environment = Environment.objects.filter(pk=slug).first()
    if environment is None:
        raise NotFound("environment")
    return environment, name
