"""Who announces never waits for Redis, and viewers learn the newest position."""

import signal
import time

import pytest
from redis import Redis

from cvdops.streams import KEY, publisher
from cvdops.streams import herald as heralds
from cvdops.streams.herald import Herald
from cvdops.streams.publisher import Publisher
from tests.streams.conftest import Broker
from tests.waiting import until


def positions(broker: Broker, execution: str) -> list[int]:
    entries = Redis.from_url(broker.url).xrange(KEY)
    return [int(fields[b"s"]) for _, fields in entries if fields[b"e"] == execution.encode()]


def test_the_newest_position_of_each_execution_arrives(broker: Broker) -> None:
    herald = Herald(Publisher(broker.url))
    for seq in range(1, 501):
        herald.announce("one", seq)
        herald.announce("other", -seq)
    until(lambda: positions(broker, "one")[-1:] == [500], what="the last hint")
    assert positions(broker, "one") == sorted(positions(broker, "one"))
    assert positions(broker, "other")


def test_a_frozen_redis_costs_the_caller_nothing(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "TIMEOUT", 60.0)
    herald = Herald(Publisher(broker.url))
    broker.signal(signal.SIGSTOP)
    before = time.monotonic()
    for seq in range(100):
        herald.announce("one", seq)
    assert time.monotonic() - before < 30  # who waited for one answer would wait for a minute
    broker.signal(signal.SIGCONT)


def test_what_is_announced_meanwhile_goes_as_one_hint(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heralds, "PAUSE", 0.5)
    herald = Herald(Publisher(broker.url))
    herald.announce("one", 1)
    until(lambda: positions(broker, "one") == [1], what="the first hint, at once")
    for seq in range(2, 501):
        herald.announce("one", seq)
    until(lambda: positions(broker, "one")[-1:] == [500], what="the last hint")
    assert positions(broker, "one") == [1, 500]
