"""When an environment may be changed: against a simple reference, over a year, and at the edges."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvdops.environments.schedule import (
    Calendar,
    Held,
    Recurrence,
    Span,
    Work,
    merged,
    obstacles,
    openings,
    overlap,
    overlaps_itself,
    state,
)

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
YEAR = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = [YEAR + n * HOUR for n in range(8760)]


def day(month: int, number: int, hour: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, number, hour, tzinfo=UTC)


SUNDAYS = Recurrence("Sunday night", day(1, 4, 2), 2 * HOUR, "FREQ=WEEKLY;BYDAY=SU")
WEDNESDAYS = Recurrence("Wednesday evening", day(1, 7, 18), 2 * HOUR, "FREQ=WEEKLY;BYDAY=WE")
EXTRA = Recurrence("Move of the data centre", day(5, 30, 20), 10 * HOUR)
SUMMER = Recurrence("Summer sale", day(7, 5, 3), timedelta(days=14))
NEW_YEAR = Recurrence("Turn of the year", day(12, 20, year=2025), 15 * 24 * HOUR, "FREQ=YEARLY")


def in_new_year(hour: datetime) -> bool:
    return (hour.month == 1 and hour.day < 4) or (hour.month == 12 and hour.day >= 20)


def production(hour: datetime) -> bool:
    """The rules of the environment, written a second time and as simply as possible."""
    if in_new_year(hour) or day(7, 5, 3) <= hour < day(7, 19, 3):
        return False
    return (hour.weekday() == 6 and hour.hour in {2, 3}) or day(5, 30, 20) <= hour < day(5, 31, 6)


def staging(hour: datetime) -> bool:
    return not in_new_year(hour) and hour.weekday() == 2 and hour.hour in {18, 19}


def development(hour: datetime) -> bool:
    return True


ENVIRONMENTS = [
    (Calendar((SUNDAYS, EXTRA), (NEW_YEAR, SUMMER)), production),
    (Calendar((WEDNESDAYS,), (NEW_YEAR,)), staging),
    (Calendar(), development),
]


@pytest.mark.parametrize(("calendar", "reference"), ENVIRONMENTS)
def test_a_year_hour_by_hour(calendar: Calendar, reference: Callable[[datetime], bool]) -> None:
    """8,760 hours: open or not, until when, and from when."""
    horizon = [YEAR + n * HOUR for n in range(8760 + 600)]
    changes = [h for before, h in pairwise(horizon) if reference(h) != reference(before)]
    wrong, left = [], iter(changes)
    change = next(left, None)
    for hour in HOURS:
        while change and change <= hour:
            change = next(left, None)
        found = state(calendar, hour)
        told = found.until if found.open else found.opening and found.opening.start
        if found.open != reference(hour) or told != change:
            wrong.append((hour, found, change))
    assert wrong == []


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        (day(1, 11, 2) - SECOND, False),
        (day(1, 11, 2), True),
        (day(1, 11, 4) - SECOND, True),
        (day(1, 11, 4), False),
        (day(7, 5, 3) - SECOND, True),  # the freeze begins in the middle of the window
        (day(7, 5, 3), False),
        (day(7, 19, 3), True),  # and ends in the middle of another one
    ],
)
def test_the_edges_to_the_second(moment: datetime, open_: bool) -> None:
    assert state(ENVIRONMENTS[0][0], moment).open is open_


def test_a_freeze_is_named_with_its_end() -> None:
    found = state(ENVIRONMENTS[0][0], day(7, 12, 2))
    assert (found.freeze, found.thaw) == ("Summer sale", day(7, 19, 3))
    assert found.opening == Span(day(7, 19, 3), day(7, 19, 4))


def test_windows_stay_where_they_are_in_utc_when_clocks_change() -> None:
    starts = [span.start for span in openings(Calendar((SUNDAYS,)), day(3, 20), timedelta(days=20))]
    assert {start.hour for start in starts} == {2}


def test_windows_that_touch_are_one() -> None:
    later = Recurrence("More", day(1, 4, 4), HOUR, "FREQ=WEEKLY;BYDAY=SU")
    assert state(Calendar((SUNDAYS, later)), day(1, 11, 3)).until == day(1, 11, 5)


def test_past_windows_still_bind() -> None:
    found = state(Calendar((EXTRA,)), day(8, 1))
    assert (found.bound, found.open, found.opening) == (True, False, None)


def test_an_environment_without_windows_can_be_frozen() -> None:
    calendar = Calendar((), (SUMMER,))
    assert state(calendar, day(7, 1)).until == day(7, 5, 3)
    assert state(calendar, day(7, 6)).opening is not None
    assert state(calendar, day(8, 1)).until is None


spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 20)).map(
        lambda pair: Span(YEAR + pair[0] * HOUR, YEAR + sum(pair) * HOUR)
    ),
    max_size=6,
)


@given(windows=spans, freezes=spans)
def test_open_is_in_a_window_and_in_no_freeze(windows: list[Span], freezes: list[Span]) -> None:
    def once(found: list[Span]) -> tuple[Recurrence, ...]:
        return tuple(Recurrence("x", s.start, s.end - s.start) for s in found)

    calendar = Calendar(once(windows), once(freezes))
    for n in range(-1, 85):
        moment = YEAR + n * HOUR
        inside = not windows or any(moment in span for span in windows)
        expected = inside and not any(moment in span for span in freezes)
        found = state(calendar, moment)
        assert found.open is expected
        assert not (found.opening and found.opening.start <= moment)


@given(spans)
def test_merged_spans_are_apart_and_the_same_time(found: list[Span]) -> None:
    result = merged(found)
    assert all(a.end < b.start for a, b in pairwise(result))
    for n in range(85):
        moment = YEAR + n * HOUR
        assert any(moment in s for s in found) is any(moment in s for s in result)


def test_windows_that_overlap_are_found() -> None:
    late = Recurrence("Late", day(2, 1, 3), 2 * HOUR)
    assert overlap(SUNDAYS, late, YEAR) == Span(day(2, 1, 3), day(2, 1, 4))
    assert overlap(SUNDAYS, WEDNESDAYS, YEAR) is None
    assert overlaps_itself(Recurrence("Long", day(1, 4), 25 * HOUR, "FREQ=DAILY"))
    assert not overlaps_itself(SUNDAYS)


CLOSED = state(ENVIRONMENTS[0][0], day(1, 12))


def test_a_start_outside_is_told_when_the_next_window_is() -> None:
    (reason,) = obstacles("production", CLOSED, (), Work())
    assert reason.code == "window"
    assert reason.text == (
        "production is changed in its maintenance windows only. The next window opens on "
        "Sun 18 Jan 2026 02:00 UTC and is open for 2 h."
    )


@pytest.mark.parametrize("why", ["read_only", "incident", "emergency"])
def test_what_windows_do_not_bind(why: str) -> None:
    assert obstacles("production", CLOSED, (), Work(**{why: True})) == ()


@pytest.mark.parametrize("why", ["read_only", "incident", "emergency"])
def test_nothing_passes_a_hold(why: str) -> None:
    hold = Held("production", "The disk is being changed.", "Operations Lead", day(1, 13))
    (reason,) = obstacles("production", CLOSED, [hold], Work(**{why: True}))
    assert reason.code == "hold"
    assert "Operations Lead has put a hold on production until Tue 13 Jan 2026" in reason.text
