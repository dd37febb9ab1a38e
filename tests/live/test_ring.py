"""What all viewers of an execution share."""

import asyncio

import pytest

from cvdops.live import ring as rings
from cvdops.live.ring import Behind, Ring


async def read(ring: Ring, position: int) -> bytes:
    return b"".join([data async for data in ring.follow(position)])


def test_a_viewer_gets_what_came_after_its_position() -> None:
    async def scenario() -> list[bytes]:
        ring = Ring(0)
        for position in (1, 2, 3):
            ring.append([b"%d" % position], position)
        ring.close()
        return [await read(ring, position) for position in (0, 2, 3)]

    assert asyncio.run(scenario()) == [b"123", b"3", b""]


def test_viewers_wake_when_something_comes() -> None:
    async def scenario() -> list[bytes]:
        ring = Ring(0)
        viewers = [asyncio.create_task(read(ring, 0)) for _ in range(50)]
        await asyncio.sleep(0)
        ring.append([b"a"], 1)
        await asyncio.sleep(0)
        ring.append([b"b"], 2)
        ring.close()
        return await asyncio.gather(*viewers)

    assert asyncio.run(scenario()) == [b"ab"] * 50


def test_a_position_older_than_the_ring_has_to_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rings, "MAX_FRAMES", 2)
    ring = Ring(0)
    for position in (1, 2, 3):
        ring.append([b"x"], position)
    with pytest.raises(Behind):
        asyncio.run(read(ring, 0))


def test_a_viewer_that_does_not_keep_up_has_to_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rings, "MAX_BYTES", 100)

    async def scenario() -> None:
        ring = Ring(0)
        ring.append([b"x"], 1)
        slow = ring.follow(0)
        assert await anext(slow) == b"x"
        ring.append([b"y" * 60], 2)
        ring.append([b"z" * 60], 3)
        await anext(slow)

    with pytest.raises(Behind):
        asyncio.run(scenario())
