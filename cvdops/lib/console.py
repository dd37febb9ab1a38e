"""What commands print, and where: results to stdout, all else to stderr, colours only on a terminal."""

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import IO, NoReturn

from cvdops.lib.moments import rfc3339

UNWRITTEN = 74  # as sysexits.h calls an error of input or output

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
        with self._written():
            print(text, file=self.out, flush=True)

    def tell(self, text: str) -> None:
        """A line about what happens, which is no part of the result."""
        with self._written():
            print(text, file=self.err, flush=True)

    def say_json(self, value: object) -> None:
        """The result for programs, instead of lines; times are those of the API."""
        self.say(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))

    def write(self, data: bytes, *, aside: bool = False) -> None:
        """Bytes as they are; `aside`: they are no part of the result."""
        stream = self.err if aside else self.out
        binary = getattr(stream, "buffer", None)
        with self._written():
            if binary is None:
                stream.write(data.decode("utf-8", "replace"))
            else:
                stream.flush()
                binary.write(data)
            stream.flush()

    @contextmanager
    def _written(self) -> Iterator[None]:
        """Ends the program if what is printed can go nowhere: a full disk, or nobody who reads."""
        try:
            yield
        except BrokenPipeError:
            _leave(128 + signal.SIGPIPE)
        except OSError as error:
            with suppress(OSError):
                self.err.write(f"Error: What it printed could not be written: {error.strerror}.\n")
                self.err.flush()
            _leave(UNWRITTEN)

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


def _leave(code: int) -> NoReturn:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is left in buffers
    raise SystemExit(code)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return rfc3339(value)
    return str(value)


def table(rows: list[Mapping[str, str]], columns: Mapping[str, str]) -> list[str]:
    """Rows as lines under headings (`columns`: key → heading), each column as wide as it needs."""
    cells = [list(columns.values()), *([row[key] for key in columns] for row in rows)]
    widths = [max(len(line[n]) for line in cells) for n in range(len(columns))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
