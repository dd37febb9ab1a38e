"""How windows come again, as people choose and read it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvdops.environments.repetition import Chosen, Repetition, chosen, rule, words
from cvdops.environments.schedule import Recurrence

SUNDAY = datetime(2026, 1, 4, 2, tzinfo=UTC)
moments = st.integers(0, 2 * 366 * 1440).map(lambda n: SUNDAY + timedelta(minutes=n))


@given(st.sampled_from(Repetition), moments, st.none() | st.dates(date(2026, 1, 1)))
def test_what_is_chosen_is_read_back(
    repetition: Repetition, start: datetime, last: date | None
) -> None:
    last = None if repetition is Repetition.ONCE else last
    assert chosen(rule(repetition, start, last), start) == Chosen(repetition, last)


@given(st.sampled_from(Repetition), moments)
def test_it_begins_with_its_first_time(repetition: Repetition, start: datetime) -> None:
    found = Recurrence("x", start, timedelta(hours=1), rule(repetition, start))
    assert next(found.spans(start, start + timedelta(days=1))).start == start


@pytest.mark.parametrize(
    ("repetition", "start", "expected"),
    [
        (Repetition.ONCE, SUNDAY, "Sun 04 Jan 2026 02:00 – Sun 04 Jan 2026 04:00 UTC"),
        (Repetition.DAILY, SUNDAY, "every day 02:00–04:00 UTC"),
        (Repetition.WEEKLY, SUNDAY, "Sundays 02:00–04:00 UTC"),
        (Repetition.MONTHLY, SUNDAY, "the first Sunday of the month 02:00–04:00 UTC, from 2026"),
        (Repetition.YEARLY, SUNDAY, "every year on 4 January 02:00–04:00 UTC, from 2026"),
        (
            Repetition.WEEKLY,
            datetime(2026, 1, 4, 23, tzinfo=UTC),
            "Sundays 23:00–01:00 1 day later UTC",
        ),
    ],
)
def test_when_it_is_in_words(repetition: Repetition, start: datetime, expected: str) -> None:
    length = timedelta(hours=2)
    assert words(Recurrence("x", start, length, rule(repetition, start))) == expected
