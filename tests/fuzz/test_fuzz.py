"""Text and bytes of strangers raise nothing but what is declared, and take no longer than 2 s (20 s on
a machine that may have no time).

Each target is fed thirty examples, the same ones each time, and other ones for a minute with `make faults`.
"""

import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize(
    ("seconds", "at_once", "longest"),
    [(0, 30, 20), pytest.param(60, 50, 2, marks=pytest.mark.faults)],
)
@pytest.mark.parametrize("name", TARGETS)
def test_it_raises_nothing_and_is_quick(
    name: str, seconds: float, at_once: int, longest: float
) -> None:
    """`at_once`: examples between two looks at the clock."""
    strategy, target = TARGETS[name]

    @settings(
        max_examples=at_once,
        deadline=timedelta(seconds=longest),
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def feed(value: Any) -> None:
        target(value)

    end = time.monotonic() + seconds
    feed()
    while time.monotonic() < end:
        feed()
