"""Times by the reader's own clock, whatever that clock does."""

from datetime import UTC, datetime

import pytest

from cvdops.lib.zones import beside, zone


def at(month: int, day: int, hour: int = 2) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "moment", "expected"),
    [
        ("Europe/Berlin", at(3, 22), "03:00 CET"),
        ("Europe/Berlin", at(3, 29), "04:00 CEST"),  # the night in which the clocks go forward
        ("Europe/Berlin", at(10, 25, 0), "02:00 CEST"),  # two o'clock is twice in this night
        ("Europe/Berlin", at(10, 25, 1), "02:00 CET"),
        ("America/Los_Angeles", at(11, 1), "Sat 19:00 PDT"),
        ("Asia/Kolkata", at(1, 4), "07:30 IST"),
        ("Pacific/Kiritimati", at(1, 4, 23), "Mon 13:00 +14"),
        ("Europe/London", at(1, 4), ""),  # as UTC, in winter
        ("UTC", at(1, 4), ""),
        ("Nowhere/City", at(1, 4), ""),
        ("../../etc/passwd", at(1, 4), ""),
        ("", at(1, 4), ""),
    ],
)
def test_the_clock_there(name: str, moment: datetime, expected: str) -> None:
    assert beside(moment, zone(name)) == expected
