"""How long what is left may take, and what is unusual: always from past runs, never guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvdops.executions.pace import FEWEST, GRACE, TELLING, Left, between, left, quantile, said, slow

STEPS = ("one", "two", "three")
seconds = st.floats(0, 100_000, allow_nan=False)
runs = st.lists(st.dictionaries(st.sampled_from(STEPS), seconds), max_size=30)
pending = st.sets(st.sampled_from(STEPS))
running = st.dictionaries(st.sampled_from(STEPS), seconds, max_size=1)


@given(runs, pending, running)
def test_a_range_lies_within_what_past_runs_took(
    runs: list[dict[str, float]], pending: set[str], running: dict[str, float]
) -> None:
    found = left(runs, pending, running)
    ahead = pending | running.keys()
    whole = [sum(run[s] for s in ahead) for run in runs if ahead <= run.keys()]
    if found is None:
        return
    assert ahead and FEWEST <= found.runs <= len(whole)
    assert 0 <= found.low <= found.high
    assert found.high <= max(whole) + 1e-6


@given(runs, pending)
def test_unknown_is_what_too_few_runs_tell(runs: list[dict[str, float]], pending: set[str]) -> None:
    whole = [run for run in runs if pending <= run.keys()]
    assert (left(runs, pending, {}) is None) == (not pending or len(whole) < FEWEST)


@given(st.lists(seconds, min_size=FEWEST, max_size=30), st.lists(seconds, min_size=2, max_size=2))
def test_whoever_goes_on_has_no_more_left_than_before_by_the_same_runs(
    took: list[float], spent: list[float]
) -> None:
    runs = [{"one": s} for s in took]
    sooner, later = sorted(spent)
    after = left(runs, (), {"one": later})
    before = left(runs, (), {"one": sooner})
    assert after is None or (before is not None and after.high <= before.high)


@given(st.lists(seconds, max_size=40), seconds)
def test_unusual_is_what_at_most_one_in_twenty_took(took: list[float], spent: float) -> None:
    found = slow([{"one": s} for s in took], "one", spent)
    longer = sum(s >= spent for s in took)
    if found is None:
        assert len(took) < TELLING or longer > 0 or spent <= max(took) + GRACE
    else:
        assert len(took) >= TELLING and longer <= 0.05 * len(took)


def test_what_ran_longer_than_it_ever_did_is_unknown() -> None:
    runs = [{"one": 60.0, "two": 60.0}] * 12
    assert left(runs, ["two"], {"one": 30}) == Left(90, 90, 12)
    assert left(runs, ["two"], {"one": 61}) is None
    assert str(slow(runs, "one", 62)) == "Longer than usual: 1 min at most in 95 % of 12 runs"
    assert slow(runs, "one", 61) is None  # a page counts in seconds
    assert slow(runs, "three", 1000) is None


def test_one_long_step_makes_nothing_unknown_while_a_past_run_took_as_long() -> None:
    runs = [{"one": float(s), "two": 60.0} for s in (10, 12, 14, 16, 18, 20, 22, 300)]
    early, late = left(runs, ["two"], {"one": 5}), left(runs, ["two"], {"one": 200})
    assert early and late and (early.runs, late.runs) == (8, 8)
    assert str(late) == "1–3 min left, from 8 runs"
    assert left(runs, ["two"], {"one": 301}) is None


def test_a_step_without_a_past_makes_the_rest_unknown() -> None:
    assert left([{"one": 1.0}] * 20, ["one", "new"], {}) is None


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0, 0, "up to 10 s"),
        (9, 59, "up to 60 s"),
        (21, 44, "20–50 s"),
        (21, 30, "20–30 s"),
        (45, 170, "40 s–3 min"),
        (0, 60, "up to 1 min"),
        (61, 61, "1–2 min"),
        (240, 540, "4–9 min"),
        (300, 300, "5 min"),
        (3600, 7199, "60–120 min"),
        (6600, 7800, "1 h 50 min–2 h 10 min"),
        (7200, 7200, "2 h"),
    ],
)
def test_a_range_is_said_in_minutes(low: float, high: float, words: str) -> None:
    assert between(low, high) == words


@given(st.lists(seconds, min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_one_of_the_values(values: list[float], share: float) -> None:
    ordered = sorted(values)
    found = quantile(ordered, share)
    assert sum(v <= found for v in ordered) >= share * len(ordered) - 1e-9


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0 s"), (41.2, "42 s"), (60, "1 min"), (3660, "1 h 1 min"), (7200, "2 h")],
)
def test_durations_are_said_shortly(value: float, words: str) -> None:
    assert said(value) == words
