"""The gate of a web process lets in what the database has connections for."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from cvdops.lib.database import Connection
from cvdops.web import gate
from cvdops.web.gate import TURNED_AWAY, Gate

Message = dict[str, Any]
CANCEL = "/executions/1/cancel/"


class House:
    """An application whose requests stay until they are let go; tells how many were inside at once."""

    def __init__(self, content_type: bytes = b"text/html", status: int = 200) -> None:
        self.content_type = content_type
        self.status = status
        self.inside = self.most = 0
        self.paths: list[str] = []  # in the order of coming in
        self.go = asyncio.Event()

    async def __call__(
        self, scope: Any, receive: Any, send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if TURNED_AWAY in scope:
            await send({"type": "http.response.start", "status": 599, "headers": []})
            return
        self.paths.append(scope["path"])
        self.inside += 1
        self.most = max(self.most, self.inside)
        headers = [(b"Content-Type", self.content_type)]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await self.go.wait()
        self.inside -= 1


async def visit(door: Gate, path: str = "/") -> int:
    """The status of the answer; 599 for who was turned away."""
    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    await door({"type": "http", "path": path}, None, send)  # type: ignore[arg-type]
    return int(said[0]["status"])


async def come(door: Gate, *paths: str) -> list[asyncio.Task[int]]:
    """Let them all come, one after the other, as far as they get."""
    visits = []
    for path in paths:
        visits.append(asyncio.create_task(visit(door, path)))
        await asyncio.sleep(0)
    return visits


def play(scene: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(scene())


def test_so_many_are_inside_at_once_and_all_are_served() -> None:
    async def scene() -> None:
        house = House()
        visits = await come(Gate(house, 5), *["/"] * 10)
        house.go.set()
        assert await asyncio.gather(*visits) == [200] * 10
        assert house.most == 3

    play(scene)


def test_a_stream_that_has_begun_takes_no_place() -> None:
    async def scene() -> None:
        house = House(b"text/event-stream")
        visits = await come(Gate(house, 5), *["/"] * 10)
        house.go.set()
        assert await asyncio.gather(*visits) == [200] * 10
        assert house.most == 10

    play(scene)


def test_what_is_urgent_has_a_place_of_its_own_and_goes_first() -> None:
    async def scene() -> None:
        house = House()
        door = Gate(house, 3)
        visits = await come(door, "/", "/", CANCEL, CANCEL, "/login/", "/approvals/1/decide/")
        assert house.paths == ["/", CANCEL, CANCEL]
        house.go.set()
        assert await asyncio.gather(*visits) == [200] * 6
        assert house.paths[3:] == ["/login/", "/approvals/1/decide/", "/"]

    play(scene)


@pytest.mark.parametrize("limit", ["SILENCE", "PATIENCE"])
def test_who_waits_too_long_is_turned_away(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, limit, 0.05)
    monkeypatch.setattr(Connection, "_asked_at", {1: 0.0} if limit == "SILENCE" else {})
    monkeypatch.setattr(Connection, "answered_at", 0.0)

    async def scene() -> None:
        house = House()
        door = Gate(house, 3)
        (first,) = await come(door, "/")
        assert await visit(door) == 599
        house.go.set()
        assert [await first, await visit(door)] == [200, 200]

    play(scene)


def test_who_waits_when_the_database_falls_silent_is_turned_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scene() -> None:
        house = House()
        door = Gate(house, 3)
        first, second = await come(door, "/", "/")
        monkeypatch.setattr(Connection, "answered_at", 0.0)
        monkeypatch.setattr(Connection, "silence", lambda: gate.SILENCE)
        assert await second == 599
        house.go.set()
        assert [await first, await visit(door)] == [200, 200]

    play(scene)


def test_beside_a_database_that_does_not_answer_nobody_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Connection, "answered_at", 0.0)

    async def scene() -> None:
        house = House(status=503)
        door = Gate(house, 3)
        house.go.set()
        assert await visit(door) == 503
        house.go.clear()
        (first,) = await come(door, "/")
        assert await visit(door) == 599  # at once
        house.go.set()
        assert await first == 503

    play(scene)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/css/portal.css"])
def test_what_needs_no_place_is_let_in(path: str) -> None:
    async def scene() -> None:
        house = House()
        door = Gate(house, 3)
        visits = await come(door, "/", path)
        assert house.paths == ["/", path]
        house.go.set()
        await asyncio.gather(*visits)

    play(scene)


def test_who_goes_away_while_waiting_takes_no_place() -> None:
    async def scene() -> None:
        house = House()
        door = Gate(house, 3)
        first, second, third = await come(door, "/", "/", "/")
        second.cancel()
        house.go.set()
        assert [await first, await third, await visit(door)] == [200] * 3

    play(scene)


def test_a_request_that_breaks_gives_its_place_back() -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError

    async def scene() -> None:
        door = Gate(broken, 3)
        for _ in range(3):
            with pytest.raises(RuntimeError):
                await visit(door)

    play(scene)


def test_streams_are_opened_few_at_once_and_keep_no_page_waiting() -> None:
    async def scene() -> None:
        house = House()
        door = Gate(house, 5)
        visits = await come(door, *["/executions/1/events/"] * 5, "/", "/", "/")
        assert house.paths == ["/executions/1/events/"] * gate.STREAMS + ["/", "/"]
        house.go.set()
        assert await asyncio.gather(*visits) == [200] * 8
        assert house.paths[4] == "/"

    play(scene)


def test_pages_keep_no_stream_waiting() -> None:
    async def scene() -> None:
        house = House()
        await come(Gate(house, 5), *["/"] * 5, "/api/v1/executions/1/events")
        assert house.paths[-1] == "/api/v1/executions/1/events"
        house.go.set()

    play(scene)
