"""Server-sent events of a portal: read as they come, with resume after whatever breaks."""

import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from cvdops.client.following import Away
from cvdops.client.wire import Portal, Told

REST = 1.0  # seconds before the stream is opened again, unless the portal says otherwise
_QUIET = frozenset(
    {"beat", "mode"}
)  # they tell that the stream lives, and nothing of the execution


@dataclass(frozen=True, slots=True)
class Message:
    """An event; `retry` is set (seconds) where the portal says after how long to come back."""

    event: str
    data: str
    last: str
    retry: float | None = None


def messages(lines: Iterator[bytes], last: str = "") -> Iterator[Message]:
    """The events of a stream, by the rules of its standard. `last`: the id that was known before."""
    event, retry = "", None
    data: list[str] = []
    for raw in lines:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            if data or retry is not None:
                yield Message(event or "message", "\n".join(data), last, retry)
            event, data, retry = "", [], None
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            event = value
        elif name == "data":
            data.append(value)
        elif name == "id" and "\0" not in value:
            last = value
        elif name == "retry" and value.isdecimal():
            retry = int(value) / 1000


@dataclass(slots=True)
class Listener:
    """Listens to an execution in a thread of its own, for somebody who waits until it moves."""

    portal: Portal
    execution: str
    moved: threading.Event = field(default_factory=threading.Event)
    _last: str = ""
    _begun: bool = False
    _rest: float = REST
    _end: threading.Event = field(default_factory=threading.Event)

    def start(self, position: int) -> None:
        """Listen, if it does not yet, to what comes after this position."""
        if not self._begun:
            self._begun, self._last = True, str(position)
            threading.Thread(target=self._listen, daemon=True).start()

    def stop(self) -> None:
        self._end.set()

    def _listen(self) -> None:
        while not self._end.is_set():
            try:
                with self.portal.stream(
                    "executions", self.execution, "events", last=self._last
                ) as s:
                    self._hear(s)
            except (Told, Away, http.client.HTTPException, OSError):
                pass  # whoever waits looks by themselves, and tells what is wrong
            self.moved.set()
            self._end.wait(self._rest)

    def _hear(self, stream: IO[bytes]) -> None:
        for message in messages(iter(stream), self._last):
            self._last = message.last
            if message.retry is not None:
                self._rest = message.retry
            if message.event == "reset":  # what was known of the position counts no more
                self._last = ""
            if message.data and message.event not in _QUIET:
                self.moved.set()
            if self._end.is_set():
                return
