"""Many who watch an execution, as its page does: each comes back where it was, or reads anew."""

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from threading import Thread

_SHOWN = re.compile(r'<li data-s="(\d+)"[^>]*>(.*?)</li>', re.DOTALL)
LIMIT = 4 << 20  # bytes of one line of a stream


@dataclass
class Viewer:
    """Follows the output of one step until it has `size` bytes of it. `session`: of a person who may."""

    port: int
    session: str
    execution: object
    size: int
    position: str = "0"
    lines: dict[int, str] = field(
        default_factory=dict
    )  # what is shown, by the byte where it begins
    end: int = 0  # bytes that were shown
    cuts: int = 0  # connections that broke
    reads: int = 0  # of the page, because there was a gap

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for _, line in sorted(self.lines.items()))

    async def watch(self) -> None:
        while self.end < self.size:
            try:
                await self._follow()
            except (OSError, EOFError, ValueError):
                self.cuts += 1
                await asyncio.sleep(random.uniform(0.1, 0.5))  # noqa: S311 — not all at once

    async def _follow(self) -> None:
        async with self._get(f"events/?after={self.position}", "text/event-stream") as reader:
            fields: dict[str, str] = {}
            async for line in _lines(reader):
                name, _, value = line.partition(": ")
                if name:
                    fields[name] = value
                    continue
                if "event" in fields:
                    await self._event(fields)
                fields = {}
                if self.end >= self.size:
                    return
        raise EOFError

    async def _event(self, fields: dict[str, str]) -> None:
        data = json.loads(fields["data"])
        if fields["event"] == "output" and data["end"] > self.end:
            if data["offset"] > self.end:
                return await self._read_anew()
            self._put(data["lines"])
            self.end = data["end"]
        elif fields["event"] == "reset":
            return await self._read_anew()
        self.position = fields.get("id", self.position)
        return None

    async def _read_anew(self) -> None:
        self.reads += 1
        async with self._get("snapshot/", "application/json") as reader:
            data = json.loads(await reader.read())
        self.position, shown = str(data["position"]), data["terminal"]
        if shown:
            self.lines = {int(at): unescape(html) for at, html in _SHOWN.findall(shown["html"])}
            self.end = shown["end"]
        raise EOFError  # the stream begins anew

    def _put(self, lines: list[list[object]]) -> None:
        """Show lines; the last one may have been unfinished and comes again."""
        for at in [at for at in self.lines if lines and at >= lines[0][0]]:
            del self.lines[at]
        self.lines |= {at: unescape(html) for at, html, _ in lines}

    @asynccontextmanager
    async def _get(self, path: str, accept: str) -> AsyncIterator[asyncio.StreamReader]:
        """The body of the answer. Raises EOFError for another one than 200."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=LIMIT)
        try:
            writer.write(
                f"GET /executions/{self.execution}/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Accept: {accept}\r\nCookie: sessionid={self.session}\r\n"
                "Connection: close\r\n\r\n".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.partition(b"\r\n")[0]:
                raise EOFError
            yield reader
        finally:
            writer.close()


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[str]:
    """The lines of a body that comes in chunks; a long event comes in several."""
    rest = b""
    while size := int(await reader.readline(), 16):
        rest += (await reader.readexactly(size + 2))[:size]
        *lines, rest = rest.split(b"\n")
        for line in lines:
            yield line.decode()


def start(viewers: Sequence[Viewer]) -> Thread:
    """Let all of them watch, in a thread of their own, until each has everything."""

    async def watch() -> None:
        await asyncio.gather(*(viewer.watch() for viewer in viewers))

    thread = Thread(target=asyncio.run, args=(watch(),), daemon=True)
    thread.start()
    return thread
