"""Reading what the program on the target answers. The target may send anything: sizes are bounded."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from cvdops.runners.session import MAX_DUMP

_HEADER = re.compile(rb"p ([a-z]{1,16}) ([0-9]{1,9})\n")
_LONGEST_HEADER = 32
_DONE = b".\n"
MAX_NOISE = 64 << 10  # bytes that a login may print before the program answers
MAX_ANSWER = 2 * MAX_DUMP  # bytes: no honest answer is larger


class Nonsense(Exception):
    """The answer does not follow the protocol, or is too large. The text says what was seen."""


@dataclass(slots=True)
class Answer:
    """The parts of an answer, in order."""

    parts: list[tuple[str, bytes]] = field(default_factory=list)

    def get(self, name: str) -> bytes | None:
        return next(self.all(name), None)

    def text(self, name: str) -> str:
        return (self.get(name) or b"").decode("utf-8", "surrogateescape")

    def all(self, name: str) -> Iterator[bytes]:
        return (content for part, content in self.parts if part == name)


class Decoder:
    """Bytes in, complete answers out."""

    def __init__(self, hello: str) -> None:
        self._hello: bytes | None = f"\n{hello}\n".encode()
        self._buffer = bytearray()
        self._answer = Answer()
        self._size = 0

    @property
    def noise(self) -> str:
        """What came instead of the program's first line."""
        return bytes(self._buffer[:4096]).decode(errors="replace") if self._hello else ""

    def feed(self, data: bytes) -> Iterator[Answer]:
        """Raises Nonsense."""
        self._buffer += data
        if self._hello and not self._greeted(self._hello):
            return
        while (step := self._take()) is not None:
            if isinstance(step, Answer):
                yield step

    def _greeted(self, hello: bytes) -> bool:
        at = self._buffer.find(hello)
        if at < 0:
            if len(self._buffer) > MAX_NOISE:
                raise Nonsense("it prints without end before it runs anything")
            return False
        del self._buffer[: at + len(hello)]
        self._hello = None
        return True

    def _take(self) -> Answer | Literal[False] | None:
        """An answer that is complete now, False after a part, None if more bytes are needed."""
        if self._buffer.startswith(_DONE):
            del self._buffer[: len(_DONE)]
            done, self._answer, self._size = self._answer, Answer(), 0
            return done
        match = _HEADER.match(self._buffer)
        if match is None:
            if len(self._buffer) > _LONGEST_HEADER or b"\n" in self._buffer:
                raise Nonsense("its answer makes no sense")
            return None
        start, length = match.end(), int(match[2])
        if self._size + length > MAX_ANSWER:
            raise Nonsense(f"its answer is longer than {MAX_ANSWER >> 20} MB")
        end = start + length
        if len(self._buffer) <= end:
            return None
        if self._buffer[end] != ord("\n"):
            raise Nonsense("its answer makes no sense")
        with memoryview(self._buffer) as view:  # a slice of the buffer would be another copy
            self._answer.parts.append((match[1].decode(), bytes(view[start:end])))
        self._size += length
        del match  # it holds the buffer
        del self._buffer[: end + 1]
        return False
