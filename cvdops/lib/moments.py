"""Times in UTC: as programs read them, and where days begin."""

from datetime import UTC, date, datetime, time, timedelta


def rfc3339(moment: datetime) -> str:
    """RFC 3339, to the microsecond as the database keeps it: in every answer, event, file and command.

    A whole second has no fraction.
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def midnight(day: date, shift: int) -> datetime:
    """The beginning of a day in UTC, some days later; the last day there is, at most."""
    try:
        return datetime.combine(day + timedelta(days=shift), time(), UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
