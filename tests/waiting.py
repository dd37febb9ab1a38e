"""Waiting for something to become true, instead of sleeping for a guessed time.

A limit tells what works from what hangs, also on a machine that has no time. How quick something is on
one that has time is said by the benchmarks and by the long faults.
"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 60.0  # seconds


def until(predicate: Callable[[], T], timeout: float = PATIENCE, what: str = "") -> T:
    """The first true value of `predicate`, asked every 20 ms; fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := predicate()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what or 'what was waited for'}: not within {timeout:g} s")
        time.sleep(0.02)
    return value
