"""Text and bytes of strangers raise nothing but what is declared, and take no longer than 2 s (20 s on
a machine that may have no time).

Each target is fed for half a second, fifty examples at least, and for a minute with `make faults`.
"""

import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.targets import TARGETS

AT_ONCE = 50  # examples between two looks at the clock


@pytest.mark.parametrize(
    ("seconds", "longest"), [(0.5, 20), pytest.param(60, 2, marks=pytest.mark.faults)]
)
@pytest.mark.parametrize("name", TARGETS)
def test_it_raises_nothing_and_is_quick(name: str, seconds: float, longest: float) -> None:
    strategy, target = TARGETS[name]

    @settings(
        max_examples=AT_ONCE,
        deadline=timedelta(seconds=longest),
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def feed(value: Any) -> None:
        target(value)

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        feed()
