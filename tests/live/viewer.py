"""Somebody who reads pages and streams over HTTP, as a browser does."""

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

TIMEOUT = 60  # seconds without a word, or with those alone that say that the stream lives
ALIVE = {"beat", "mode"}


@dataclass(frozen=True)
class Event:
    """One server-sent event."""

    name: str
    position: str
    data: dict[str, Any]


class Stream:
    """An open stream. Reading past its end ends the iteration."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.response = response
        self.raw = b""

    def __iter__(self) -> Iterator[Event]:
        fields: dict[str, str] = {}
        heard = time.monotonic()
        while line := self.response.readline():
            self.raw += line
            text = line.decode().rstrip("\n")
            if text:
                name, _, value = text.partition(": ")
                fields[name] = fields.get(name, "") + value
                continue
            if "event" in fields:
                data = json.loads(fields["data"])
                if fields["event"] in ALIVE:
                    assert time.monotonic() < heard + TIMEOUT, f"silence: {self.raw[-2000:]!r}"
                yield Event(fields["event"], fields.get("id", ""), data)
                if fields["event"] not in ALIVE:
                    heard = time.monotonic()
            fields = {}

    def first(self, *names: str) -> Event:
        """The next event with one of these names."""
        return next(event for event in self if event.name in names)


@dataclass(frozen=True)
class Visitor:
    """Requests with somebody's session."""

    port: int
    session: str

    @contextmanager
    def get(self, path: str, **headers: str) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        fields = {"Cookie": f"sessionid={self.session}", "Accept": "text/event-stream"}
        connection.request("GET", path, headers=fields | headers)
        try:
            yield connection.getresponse()
        finally:
            connection.close()

    @contextmanager
    def watch(self, execution: object, after: str = "", **headers: str) -> Iterator[Stream]:
        query = f"?after={after}" if after else ""
        with self.get(f"/executions/{execution}/events/{query}", **headers) as response:
            yield Stream(response)
