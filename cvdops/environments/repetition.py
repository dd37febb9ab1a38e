"""How a window or freeze comes again, as people choose and read it. Pure.

The days follow from its first time: one that begins on a Sunday and is weekly comes on Sundays.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from cvdops.environments.schedule import Recurrence

_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_NTH = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}


class Repetition(StrEnum):
    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"
    YEARLY = "yearly"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Repetition.ONCE: "Once",
    Repetition.DAILY: "Every day",
    Repetition.WEEKLY: "Every week",
    Repetition.FORTNIGHTLY: "Every two weeks",
    Repetition.MONTHLY: "Every month, on the same weekday of it",
    Repetition.YEARLY: "Every year",
}


def rule(repetition: Repetition, start: datetime, last: date | None = None) -> str:
    """The RFC 5545 rule; empty for what is once. `last`: the last day on which it begins, in UTC."""
    if repetition is Repetition.ONCE:
        return ""
    day = _CODES[start.weekday()]
    text = {
        Repetition.DAILY: "FREQ=DAILY",
        Repetition.WEEKLY: f"FREQ=WEEKLY;BYDAY={day}",
        Repetition.FORTNIGHTLY: f"FREQ=WEEKLY;BYDAY={day};INTERVAL=2",
        Repetition.MONTHLY: f"FREQ=MONTHLY;BYDAY={_nth(start)}{day}",
        Repetition.YEARLY: "FREQ=YEARLY",
    }[repetition]
    return text + (f";UNTIL={last:%Y%m%d}T235959Z" if last else "")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a rule says, as the form shows it."""

    repetition: Repetition
    last: date | None


def chosen(rule_text: str, start: datetime) -> Chosen | None:
    """The choice that gives this rule; None if it is none of those."""
    _, _, until = rule_text.partition("UNTIL=")
    last = datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).date() if until else None
    for repetition in Repetition:
        if rule(repetition, start, last) == rule_text:
            return Chosen(repetition, last)
    return None


def words(recurrence: Recurrence) -> str:
    """When it is, as people read it: “Sundays 02:00–04:00 UTC”."""
    start, end = recurrence.start, recurrence.start + recurrence.length
    found = chosen(recurrence.rule, start)
    if found is None:
        return f"from {start:%Y-%m-%d %H:%M} UTC by the rule {recurrence.rule}"
    if found.repetition is Repetition.ONCE:
        return f"{_moment(start)} – {_moment(end)} UTC"
    day = f"{start:%A}"
    often = {
        Repetition.DAILY: "every day",
        Repetition.WEEKLY: f"{day}s",
        Repetition.FORTNIGHTLY: f"every second {day}",
        Repetition.MONTHLY: f"the {_NTH[_nth(start)]} {day} of the month",
        Repetition.YEARLY: f"every year on {start.day} {start:%B}",
    }[found.repetition]
    days = (end - timedelta(microseconds=1)).date() - start.date()
    later = f" {days.days} day{'s' if days.days > 1 else ''} later" if days else ""
    first = (
        "" if found.repetition in {Repetition.DAILY, Repetition.WEEKLY} else f", from {start:%Y}"
    )
    last = f", until {found.last}" if found.last else ""
    return f"{often} {start:%H:%M}–{end:%H:%M}{later} UTC{first}{last}"


def _moment(moment: datetime) -> str:
    return f"{moment:%a %d %b %Y %H:%M}"


def _nth(start: datetime) -> int:
    """The how-manieth of its weekday in the month; a fifth is the last."""
    nth = (start.day + 6) // 7
    return nth if nth < 5 else -1
