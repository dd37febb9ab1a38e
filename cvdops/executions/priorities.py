"""How urgent an emergency is: the severities of the mission, and when who hears of what waits for it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import TextChoices

MORNING = 9  # o'clock, UTC, at which a business day begins
_FRIDAY = 5  # the last of the business days, Monday being 1
_QUARTER = 4  # of the time in which a request can be decided, if that is shorter


class Priority(TextChoices):
    """P0 to P3, with what they are called."""

    P0 = "P0", "Critical"
    P1 = "P1", "High"
    P2 = "P2", "Medium"
    P3 = "P3", "Low"


@dataclass(frozen=True, slots=True)
class Terms:
    """What belongs to one of them. No `response`: the next business day is soon enough."""

    covers: tuple[str, ...]
    response: timedelta | None
    responds: str  # the same in words
    escalates: str  # when it goes up the chain

    @property
    def title(self) -> str:
        """What it covers, in a line."""
        return ", ".join(self.covers)


TERMS: Mapping[str, Terms] = {
    Priority.P0: Terms(
        ("System completely down", "security breach detected", "data corruption identified"),
        timedelta(minutes=15),
        "15 minutes",
        "immediately",
    ),
    Priority.P1: Terms(
        (
            "Degraded performance affecting users",
            "database issues",
            "SSL certificate expiration",
        ),
        timedelta(hours=1),
        "1 hour",
        "after 2 hours, if unresolved",
    ),
    Priority.P2: Terms(
        ("Minor performance issues", "disk space warnings", "non-critical service failures"),
        timedelta(hours=4),
        "4 hours",
        "on the next business day",
    ),
    Priority.P3: Terms(
        ("Informational alerts", "planned maintenance reminders"),
        None,
        "next business day",
        "not required",
    ),
}
_USUAL = timedelta(minutes=15)  # of what is no emergency


def moments(priority: str, asked: datetime, expires: datetime, chain: int) -> list[datetime]:
    """When they are asked, reminded, and then when each contact of a chain of this length is told.

    An empty priority is no emergency. What can be decided for a short time alone does not wait: it is
    reminded of after a quarter of it, goes up after a half, and a quarter later to the next.
    """
    quarter = (expires - asked) / _QUARTER
    terms = TERMS.get(priority)
    response = terms.response if terms else _USUAL
    answered = asked + response if response else next_business_day(asked)
    times = [asked, min(answered, asked + quarter)]
    if (first := _goes_up(priority, asked)) is None:
        return times
    first, pause = min(first, asked + 2 * quarter), min(response or quarter, quarter)
    return [*times, *(first + n * pause for n in range(chain))]


def next_business_day(at: datetime) -> datetime:
    """The next morning from Monday to Friday, by the clock of UTC."""
    day = at.astimezone(UTC).replace(hour=MORNING, minute=0, second=0, microsecond=0)
    day += timedelta(days=1)
    while day.isoweekday() > _FRIDAY:
        day += timedelta(days=1)
    return day


def _goes_up(priority: str, asked: datetime) -> datetime | None:
    """When the first of the chain hears of it; None: nobody does."""
    match priority:
        case Priority.P0:
            return asked
        case Priority.P1:
            return asked + timedelta(hours=2)
        case Priority.P2:
            return next_business_day(asked)
        case Priority.P3:
            return None
    return asked + 2 * _USUAL
