"""1,000 programs that follow an execution by the API, and 200 requests a second beside them."""

import asyncio
import re
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import steps
from benchmarks.figures import Figure, median, percentile

PEOPLE = ("devops-engineer", "operations-lead", "system-admin", "operations-manager")
STREAMS = 250  # of each person
RATE = 50  # requests a second of each person: what one may ask in the long run
CONNECTIONS = (
    4  # of each person, kept as programs keep theirs: so many questions are under way at once
)
OPENING = 40  # streams a second of each person, within the same limit
SECONDS, ALONE = 10, 3
SCRIPT = 'sleep 16; for i in $(seq 1 60); do echo "at $(date +%s%N)"; sleep 0.1; done'
_STAMP = re.compile(rb"at (\d{19})")
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: (\d+)")


@dataclass(frozen=True, slots=True)
class Load:
    """What requests took, in ms, and how many were answered a second: fewer than asked, and they pile up."""

    taken: list[float]
    rate: float


def measure(port: int, runbooks: Path, asked: str) -> list[Figure]:
    """Milliseconds of a request beside the streams and alone, and of a line from its step to a stream.

    `asked`: the id of the execution that the requests ask for.
    """
    tokens = [_token(name) for name in PEOPLE]
    steps.publish(runbooks, programs=[SCRIPT])
    path = f"/api/v1/executions/{asked}"
    alone = asyncio.run(_requests(port, tokens, path, ALONE))
    execution = steps.start("programs")
    delays, beside = asyncio.run(_together(port, tokens, str(execution.pk), path))
    steps.finish(execution)
    count = len(PEOPLE) * STREAMS
    assert len(delays) >= count * 60, f"only {len(delays)} lines arrived at {count} streams"
    asked_for = 0.95 * RATE * len(PEOPLE)  # the last of them take their time, too
    request = f"request, {RATE * len(PEOPLE)} a second beside {count:,} streams"
    line = f"line printed → at an API stream, {count:,} streams"
    return [
        Figure(f"{request}, median", median(beside.taken), "ms", median(alone.taken), 100.0),
        Figure(
            f"{request}, p99",
            percentile(beside.taken, 0.99),
            "ms",
            percentile(alone.taken, 0.99),
            300.0,
        ),
        Figure(
            f"requests beside {count:,} streams",
            beside.rate,
            "/s",
            alone.rate,
            asked_for,
            more=True,
        ),
        Figure(f"{line}, median", median(delays), "ms", 0.3, 100.0),
        Figure(f"{line}, p99", percentile(delays, 0.99), "ms", 0.3, 1000.0),
    ]


def _token(username: str) -> str:
    from cvdops.access import tokens
    from cvdops.accounts.models import User

    user = User.objects.get(username=username)
    return tokens.make(user, "a measurement", [tokens.Scope.READ], 1)[1]


async def _together(
    port: int, tokens: list[str], execution: str, path: str
) -> tuple[list[float], Load]:
    """The delays of all lines at all streams, and what the requests took while these were open."""
    address = f"/api/v1/executions/{execution}/events"
    followers = [
        asyncio.create_task(_follow(port, token, address, number / OPENING))
        for token in tokens
        for number in range(STREAMS)
    ]
    await asyncio.sleep(STREAMS / OPENING + 3)
    beside = await _requests(port, tokens, path, SECONDS)
    return [delay for delays in await asyncio.gather(*followers) for delay in delays], beside


async def _follow(port: int, token: str, address: str, after: float) -> list[float]:
    await asyncio.sleep(after)
    reader, writer = await _stream(port, token, address)
    assert b" 200 " in await reader.readline(), "a stream was refused"
    delays = []
    while line := await reader.readline():
        now = time.time_ns()
        if line.startswith(b"event: end"):
            break
        if line.startswith(b"data: "):
            delays += [(now - int(stamp)) / 1e6 for stamp in _STAMP.findall(line)]
    writer.close()
    return delays


async def _requests(port: int, tokens: list[str], path: str, seconds: int) -> Load:
    """Requests at even distances, each measured from when it was due, whatever held up the one before."""
    began = time.perf_counter()
    made = [
        _one_after_the_other(port, token, path, number, seconds)
        for token in tokens
        for number in range(CONNECTIONS)
    ]
    taken = [one for some in await asyncio.gather(*made) for one in some]
    return Load(taken, len(taken) / (time.perf_counter() - began))


async def _one_after_the_other(
    port: int, token: str, path: str, number: int, seconds: int
) -> list[float]:
    began, apart, taken = time.perf_counter(), CONNECTIONS / RATE, []
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    for turn in range(int(seconds / apart)):
        due = began + number / RATE + turn * apart
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        writer.write(_request(token, path))
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        assert b" 200 " in head.partition(b"\r\n")[0] and length, head
        await reader.readexactly(int(length[1]))
        taken.append((time.perf_counter() - due) * 1000)
    writer.close()
    return taken


def _request(token: str, path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )


async def _stream(
    port: int, token: str, path: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(_request(token, path))
    return reader, writer
