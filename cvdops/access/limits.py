"""How much one person may ask for, so that the others are served: starts, changes, questions, streams.

Counted in the memory of each web process, because it is about what that process can serve. What ends
trouble is never counted: to decide on a request, to cancel, to log in.
"""

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from cvdops.accounts.models import User
from cvdops.lib.errors import TooMany

STREAMS = 1000  # that one person may have open: each costs little, they share what is read
AT_ONCE = 4  # searches in the output for one person at the same time
_KNOWN = 10_000  # counts that are kept before those that say nothing any more are dropped


class Kind(StrEnum):
    """What is counted apart."""

    ASK = "ask"
    CHANGE = "change"
    START = "start"


# How many at once, how many a second in the long run, and what they are called.
_RATES = {
    Kind.ASK: (200, 50.0, "questions"),
    Kind.CHANGE: (60, 2.0, "changes"),
    Kind.START: (30, 0.5, "starts"),
}

_lock = threading.Lock()
_left: dict[tuple[int, Kind], tuple[float, float]] = {}  # what is left, at which time
_streams: Counter[int] = Counter()
_asking: Counter[int] = Counter()


def take(user: User, kind: Kind) -> None:
    """Count one. Raises TooMany, which says after how many seconds there is room again."""
    most, rate, name = _RATES[kind]
    now = time.monotonic()
    with _lock:
        left, at = _left.get((user.pk, kind), (float(most), now))
        left = min(float(most), left + (now - at) * rate)
        if left < 1:
            wait = math.ceil((1 - left) / rate)
            raise TooMany(f"You have sent too many {name} within a short time.", wait)
        _left[user.pk, kind] = left - 1, now
        if len(_left) > _KNOWN:
            _forget(now)


def _forget(now: float) -> None:
    """Those that are full again."""
    full = [
        key
        for key, (left, at) in _left.items()
        if left + (now - at) * _RATES[key[1]][1] >= _RATES[key[1]][0]
    ]
    for key in full:
        del _left[key]


@contextmanager
def asking(user: User) -> Iterator[None]:
    """One of the few searches in the output for a person at the same time. Raises TooMany."""
    with _counted(_asking, user.pk):
        if _asking[user.pk] > AT_ONCE:
            raise TooMany("You search the output too often at the same time.", 1)
        yield


def check_streams(user: User) -> None:
    """Before one is opened. Raises TooMany."""
    if _streams[user.pk] >= STREAMS:
        raise TooMany("You follow too much at the same time.", 10)


@contextmanager
def streaming(user_id: int) -> Iterator[None]:
    """A stream that a person has open."""
    with _counted(_streams, user_id):
        yield


@contextmanager
def _counted(counter: Counter[int], who: int) -> Iterator[None]:
    with _lock:
        counter[who] += 1
    try:
        yield
    finally:
        with _lock:
            counter[who] -= 1
            if not counter[who]:
                del counter[who]
