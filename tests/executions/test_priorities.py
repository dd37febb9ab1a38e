"""When who hears of what waits in an emergency: the table of severities of the mission."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvdops.executions.priorities import Priority, moments, next_business_day

FRIDAY = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)
MONDAY = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def after(priority: str, lifetime: timedelta, chain: int = 4) -> list[timedelta]:
    return [at - FRIDAY for at in moments(priority, FRIDAY, FRIDAY + lifetime, chain)]


@pytest.mark.parametrize(
    ("priority", "expected"),
    [
        ("", [0, 15, 30, 45, 60, 75]),
        (Priority.P0, [0, 15, 0, 15, 30, 45]),
        (Priority.P1, [0, 60, 120, 180, 240, 300]),
    ],
)
def test_they_hear_in_the_response_times_of_the_mission(priority: str, expected: list[int]) -> None:
    assert after(priority, 30 * DAY) == [n * MINUTE for n in expected]


def test_a_medium_one_goes_up_on_the_next_business_day() -> None:
    reminded, first, second = (FRIDAY + each for each in after("P2", 30 * DAY, chain=2)[1:])
    assert (reminded, first, second) == (FRIDAY + 4 * HOUR, MONDAY, MONDAY + 4 * HOUR)


def test_a_low_one_is_reminded_of_then_and_goes_up_to_nobody() -> None:
    assert after("P3", 30 * DAY) == [timedelta(0), MONDAY - FRIDAY]


def test_what_can_be_decided_for_a_short_time_does_not_wait_so_long() -> None:
    assert after("P1", 20 * MINUTE) == [n * MINUTE for n in (0, 5, 10, 15, 20, 25)]
    assert after("P3", 20 * MINUTE) == [timedelta(0), 5 * MINUTE]


@given(
    st.sampled_from(["", *Priority.values]),
    st.timedeltas(min_value=MINUTE, max_value=30 * DAY),
    st.integers(0, 9),
)
def test_the_chain_hears_in_its_order_and_of_what_is_urgent_earlier(
    priority: str, lifetime: timedelta, chain: int
) -> None:
    found = after(priority, lifetime, chain)
    assert found[2:] == sorted(found[2:]) and min(found) == timedelta(0)
    assert len(found) == 2 + (0 if priority == Priority.P3 else chain)
    assert found[1] <= lifetime / 4
    urgent = after(Priority.P0, lifetime, chain)
    assert all(one <= other for one, other in zip(urgent, found, strict=False))


@pytest.mark.parametrize(
    ("at", "morning"),
    [
        (FRIDAY, MONDAY),
        (MONDAY - HOUR, MONDAY + DAY),
        (datetime(2026, 11, 28, 1, 0, tzinfo=UTC), MONDAY),
        (datetime(2026, 11, 26, 12, 0, tzinfo=UTC), datetime(2026, 11, 27, 9, 0, tzinfo=UTC)),
    ],
)
def test_business_days_are_from_monday_to_friday(at: datetime, morning: datetime) -> None:
    assert next_business_day(at) == morning
