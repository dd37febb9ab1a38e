"""One connection hears the hints for everything that a process follows."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from cvdops.streams.publisher import Publisher
from cvdops.streams.reader import BLOCK, TIMEOUT, Reader
from tests.streams.conftest import Broker


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks whether anybody still follows more often."""
    monkeypatch.setattr("cvdops.streams.reader.BLOCK", 100)


def run(test: Callable[[Reader], Awaitable[None]], broker: Broker) -> None:
    async def whole() -> None:
        await asyncio.wait_for(test(Reader(broker.url)), 120)

    asyncio.run(whole())


async def until(reader: Reader, *, connected: bool) -> None:
    while reader.connected is not connected:
        await asyncio.sleep(0.005)


async def heard(reader: Reader, broker: Broker, execution: str, hint: asyncio.Event) -> None:
    """Connected, with the first look over, and then told."""
    await until(reader, connected=True)
    await hint.wait()
    hint.clear()
    Publisher(broker.url).announce(execution, 1)
    await hint.wait()


def test_a_hint_arrives(broker: Broker) -> None:
    async def test(reader: Reader) -> None:
        with reader.follow("one") as hint:
            await heard(reader, broker, "one", hint)

    run(test, broker)


def test_only_its_own_execution_is_woken(broker: Broker) -> None:
    async def test(reader: Reader) -> None:
        with reader.follow("one") as one, reader.follow("two") as two:
            await until(reader, connected=True)
            await two.wait()
            two.clear()
            await heard(reader, broker, "one", one)
            assert not two.is_set()

    run(test, broker)


def test_many_followers_share_one_connection(broker: Broker) -> None:
    async def test(reader: Reader) -> None:
        follows = [reader.follow(f"execution-{number % 50}") for number in range(500)]
        hints = [follow.__enter__() for follow in follows]
        await asyncio.gather(*(hint.wait() for hint in hints))
        client = Redis.from_url(broker.url)
        assert len(await client.client_list()) == 2  # the reader's and this one
        await client.aclose()
        for follow in follows:
            follow.__exit__(None, None, None)

    run(test, broker)


def test_what_was_missed_is_made_up_after_a_restart(broker: Broker) -> None:
    async def test(reader: Reader) -> None:
        with reader.follow("one") as hint:
            await until(reader, connected=True)
            broker.kill()
            await until(reader, connected=False)
            hint.clear()
            broker.start()
            await hint.wait()  # everybody looks once: nobody knows what was missed
            assert reader.connected
            hint.clear()
            Publisher(broker.url).announce("one", 1)
            await hint.wait()

    run(test, broker)


def test_a_frozen_redis_counts_as_away(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cvdops.streams.reader.TIMEOUT", 0.5)

    async def test(reader: Reader) -> None:
        with reader.follow("one"):
            await until(reader, connected=True)
            broker.signal(signal.SIGSTOP)
            await until(reader, connected=False)
            broker.signal(signal.SIGCONT)
            await until(reader, connected=True)

    run(test, broker)


def test_a_quiet_stream_keeps_its_connection(broker: Broker) -> None:
    assert BLOCK / 1000 < TIMEOUT

    async def test(reader: Reader) -> None:
        with reader.follow("one"):
            await until(reader, connected=True)
            lost = asyncio.create_task(until(reader, connected=False))
            done, _ = await asyncio.wait({lost}, timeout=0.5)  # longer than two blocks
            assert not done
            lost.cancel()

    run(test, broker)


def test_starts_without_redis_and_finds_it_later(broker: Broker) -> None:
    async def test(reader: Reader) -> None:
        broker.kill()
        with reader.follow("one") as hint:
            await asyncio.sleep(0)
            assert not reader.connected
            broker.start()
            await heard(reader, broker, "one", hint)

    run(test, broker)


def test_stops_reading_when_nobody_follows(broker: Broker) -> None:
    async def test(reader: Reader) -> None:
        with reader.follow("one"):
            await until(reader, connected=True)
        await until(reader, connected=False)
        client = Redis.from_url(broker.url)
        assert len(await client.client_list()) == 1  # this one
        await client.aclose()
        with reader.follow("one") as hint:
            await heard(reader, broker, "one", hint)

    run(test, broker)
