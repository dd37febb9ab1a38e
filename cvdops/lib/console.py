"""What commands print, and where: results to stdout, all else to stderr, colours only on a terminal."""

import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, NoReturn

# The tones of the pages, as a terminal shows them.
_TONES = {"ok": "32", "run": "36", "wait": "33", "bad": "31", "muted": "2", "strong": "1"}


def coloured(stream: IO[str]) -> bool:
    """Whether colours are seen there and wanted: on a terminal, unless NO_COLOR says otherwise."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


@dataclass(frozen=True, slots=True)
class Console:
    """The two streams of a command. `answers`: where a person types; none if nobody is there.

    `colours`: as somebody has asked for them; None: where they are seen.
    """

    out: IO[str]
    err: IO[str]
    answers: IO[str] | None = None
    colours: bool | None = None

    def say(self, text: str) -> None:
        """A line of the result."""
        print(text, file=self.out, flush=True)

    def tell(self, text: str) -> None:
        """A line about what happens, which is no part of the result."""
        print(text, file=self.err, flush=True)

    def say_json(self, value: object) -> None:
        """The result for programs, instead of lines."""
        self.say(json.dumps(value, indent=2, ensure_ascii=False, default=str))

    def write(self, data: bytes, *, aside: bool = False) -> None:
        """Bytes as they are; `aside`: they are no part of the result."""
        stream = self.err if aside else self.out
        binary = getattr(stream, "buffer", None)
        if binary is None:
            stream.write(data.decode("utf-8", "replace"))
        else:
            stream.flush()
            binary.write(data)
        stream.flush()

    def painted(self, text: str, tone: str, *, aside: bool = True) -> str:
        """The text in a tone, if the stream that it goes to shows colours."""
        code = _TONES.get(tone)
        if code is None or not self.shows_colours(aside=aside):
            return text
        return f"\x1b[{code}m{text}\x1b[0m"

    def shows_colours(self, *, aside: bool = False) -> bool:
        """Whether colours are to go to stdout; `aside`: to stderr."""
        return coloured(self.err if aside else self.out) if self.colours is None else self.colours

    @property
    def attended(self) -> bool:
        """Whether a person sits there who reads and can answer."""
        return self.answers is not None and self.answers.isatty() and self.err.isatty()

    def ask(self, question: str) -> str:
        """What the person answers, in small letters; empty at the end of what they type."""
        if self.answers is None:
            return ""
        print(question, end=" ", file=self.err, flush=True)
        return self.answers.readline().strip().lower()


def leave_quietly() -> NoReturn:
    """End, because whoever read what is printed has gone away: as a program that SIGPIPE ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is left in buffers
    raise SystemExit(128 + signal.SIGPIPE)


def table(rows: list[Mapping[str, str]], columns: Mapping[str, str]) -> list[str]:
    """Rows as lines under headings (`columns`: key → heading), each column as wide as it needs."""
    cells = [list(columns.values()), *([row[key] for key in columns] for row in rows)]
    widths = [max(len(line[n]) for line in cells) for n in range(len(columns))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
