"""Who looks at an execution: known while Redis is there, and nothing to wait for when it is not."""

import signal
import time

import pytest

from cvdops.streams import presence
from cvdops.streams.presence import Presence
from tests.streams.conftest import Broker


def test_all_who_look_are_told_until_they_say_no_more(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Presence(broker.url)
    for name in ("Zoe", "Ann", "Ann"):
        here.tell("one", name)
    here.tell("two", "Ben")
    assert here.who("one") == ("Ann", "Zoe")
    monkeypatch.setattr(presence, "LASTS", 0.0)
    assert here.who("one") == ()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_redis_that_is_away_or_frozen_holds_nobody_up(
    broker: Broker, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "REST", 3600.0)
    here = Presence(broker.url)
    here.tell("one", "Ann")
    broker.signal(number)
    began = time.monotonic()
    for _ in range(100):
        here.tell("one", "Ann")
        here.who("one")
    assert time.monotonic() - began < 15  # who waited each time would wait for twenty seconds
