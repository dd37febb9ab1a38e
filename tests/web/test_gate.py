"""The gate of a web process lets in what the database has connections for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cvdops.web import gate
from cvdops.web.gate import Gate

Message = dict[str, Any]


class House:
    """An application whose requests stay until they are let go; tells how many were inside at once."""

    def __init__(self, content_type: bytes = b"text/html") -> None:
        self.content_type = content_type
        self.inside = self.most = 0
        self.go = asyncio.Event()

    async def __call__(
        self, scope: Any, receive: Any, send: Callable[[Message], Awaitable[None]]
    ) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        headers = [(b"Content-Type", self.content_type)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await self.go.wait()
        self.inside -= 1


async def visit(door: Gate, path: str = "/") -> int:
    """The status of the answer."""
    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    await door({"type": "http", "path": path}, None, send)  # type: ignore[arg-type]
    return int(said[0]["status"])


async def crowd(house: House, people: int) -> list[int]:
    """Let them all come at once, and let those inside go when nobody moves any more."""
    door = Gate(house, 3)
    visits = [asyncio.create_task(visit(door)) for _ in range(people)]
    for _ in range(10):
        await asyncio.sleep(0)
    house.go.set()
    return await asyncio.gather(*visits)


def test_so_many_are_inside_at_once_and_all_are_served() -> None:
    async def scene() -> None:
        house = House()
        assert await crowd(house, 10) == [200] * 10
        assert house.most == 3

    asyncio.run(scene())


def test_a_stream_that_has_begun_takes_no_place() -> None:
    async def scene() -> None:
        house = House(b"text/event-stream")
        assert await crowd(house, 10) == [200] * 10
        assert house.most == 10

    asyncio.run(scene())


def test_who_waits_too_long_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "PATIENCE", 0.05)

    async def scene() -> None:
        house = House()
        door = Gate(house, 1)
        first = asyncio.create_task(visit(door))
        await asyncio.sleep(0)  # it goes in
        assert await visit(door) == 503
        house.go.set()
        assert await visit(door, "/healthz") == 200
        assert await first == 200
        assert await visit(door) == 200

    asyncio.run(scene())


def test_a_request_that_breaks_gives_its_place_back() -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError

    async def scene() -> None:
        door = Gate(broken, 1)
        for _ in range(3):
            with pytest.raises(RuntimeError):
                await visit(door)

    asyncio.run(scene())
