"""No test holds the run: what its set-up, it itself or its end waits for too long fails, and where is told.

Most waits have limits of their own and sentences of their own. This is for those that have none, like what a
browser is asked. What no signal interrupts ends its process a little later (`faulthandler_timeout`).
"""

import signal
from collections.abc import Generator
from types import FrameType

import pytest

PATIENCE = 240.0  # seconds: more than thrice what takes longest on a machine that has time
LONG = 3600.0  # of the long forms
AGAIN = 60.0  # for what is waited for after that, while everything is put away


def limited(item: pytest.Item, part: str) -> Generator[None, object, object]:
    """Around a part of a test."""
    limit = LONG if item.get_closest_marker("faults") else PATIENCE

    def over(_number: int, _frame: FrameType | None) -> None:
        pytest.fail(f"{part} of {item.nodeid}: not over within {limit:g} s")

    signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, limit, AGAIN)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    return (yield from limited(item, "the set-up"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    return (yield from limited(item, "the test"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    return (yield from limited(item, "the end"))
