"""Hints are sent quickly or not at all; the caller never notices which."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from cvdops.streams import KEY, LENGTH
from cvdops.streams.publisher import REST, Publisher
from tests.streams.conftest import Broker

SOON = 30.0  # seconds; a fifth of one where the machine has time


def seconds(publisher: Publisher) -> float:
    before = time.monotonic()
    publisher.announce("an-execution", 1)
    return time.monotonic() - before


def test_a_hint_carries_ids_only(broker: Broker) -> None:
    Publisher(broker.url).announce("an-execution", 7)
    [(_id, fields)] = Redis.from_url(broker.url).xrange(KEY)
    assert fields == {b"e": b"an-execution", b"s": b"7"}


def test_old_hints_are_dropped(broker: Broker) -> None:
    publisher = Publisher(broker.url)
    for number in range(LENGTH + 500):
        publisher.announce("an-execution", number)
    assert Redis.from_url(broker.url).xlen(KEY) < LENGTH + 200


def test_from_many_threads(broker: Broker) -> None:
    publisher = Publisher(broker.url)
    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda number: publisher.announce("an-execution", number), range(500)))
    assert Redis.from_url(broker.url).xlen(KEY) == 500


def test_a_dead_redis_is_no_error(broker: Broker) -> None:
    publisher = Publisher(broker.url)
    publisher.announce("an-execution", 1)
    broker.kill()
    assert seconds(publisher) < SOON
    assert publisher.failures == 1


def test_a_frozen_redis_is_waited_for_once(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cvdops.streams.publisher.REST", 3600.0)
    publisher = Publisher(broker.url)
    broker.signal(signal.SIGSTOP)
    waited = sum(seconds(publisher) for _ in range(100))
    assert waited < 15  # who waited each time would wait for twenty seconds
    broker.signal(signal.SIGCONT)


def test_an_address_that_swallows_everything(broker: Broker) -> None:
    publisher = Publisher("redis://192.0.2.1:6379/0")  # reserved for documentation: nobody answers
    assert seconds(publisher) < SOON


def test_goes_on_when_redis_is_back(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = Publisher(broker.url)
    broker.kill()
    publisher.announce("an-execution", 1)
    broker.start()
    later = time.monotonic() + REST
    monkeypatch.setattr("cvdops.streams.publisher.time.monotonic", lambda: later)
    publisher.announce("an-execution", 2)
    assert Redis.from_url(broker.url).xlen(KEY) == 1
