"""Output of a step as lines of safe HTML: bytes in, `<span class="…">` and escaped text out. Pure.

Colours are kept, every other escape sequence is dropped, other control characters are made visible.
Each line is known by the byte at which it begins, so that whoever rendered a part of the output can
say which lines a later rendering replaces. Time is linear in the bytes.
"""

import codecs
import re
from dataclasses import dataclass, field
from html import escape
from typing import NamedTuple

from cvdops.lib.visible import HIDDEN, symbol, turns
from cvdops.web.live.pen import PLAIN, Pen, select

WIDTH = 4_000  # characters of a line on the screen; a longer one is cut into several
COLOURS = 400  # changes of colour in a line on the screen; it is rendered anew with each that comes
CONTROL = "t-control"  # the class of signs for what would not be seen
_SIGN = f'<span class="{CONTROL}">'
_HTML = {
    code: _SIGN + symbol(chr(code)) + "</span>"
    if re.match(f"[{HIDDEN}]", chr(code))
    else escape(chr(code))
    for code in range(128)
}
_MAX_PARAMETERS = 256
OVERWRITTEN = (
    '<span class="t-over"></span>'  # its words come from the style: they are not copied or found
)

# Sequences that are there whole and show nothing, as many as follow each other.
_DROPPED = r"(?:\x1b\[[ -?]*+[@-ln-~]|\x9b[ -?]*+(?:[@-ln-~]|(?=[^ -~]))|[\x80-\x8f\x91-\x97\x99\x9a\x9c])++"
_SPECIAL = re.compile(
    rf"(?P<colour>\x1b\[[0-9;:]*+m)|(?P<dropped>{_DROPPED})|(?P<active>\r+|\x1b+|[\x80-\x9f])"
)
_ANY_SPECIAL = re.compile(rf"[\r\x1b\x80-\x9f{HIDDEN}]")
# At most WIDTH characters that are shown as they are, and what ends lines elsewhere.
_SIMPLE = re.compile(rf"([\t !#-%(-;=?-~]{{0,{WIDTH}}}+)\r*+".encode())
# The same, with what is escaped or made visible.
_ASCII = re.compile(rb"([^\r\x1b\x80-\xff]{0,%d}+)\r*+" % WIDTH)
_CSI_BODY = re.compile("[ -?]*")
_STRING_END = re.compile("[\x07\x18\x1a\x1b\x9c]")

_CSI_OPENERS = "\x9b"
_STRING_OPENERS = "\x90\x98\x9d\x9e\x9f"
_GROUND, _ESCAPE, _CSI, _STRING = range(4)


Run = tuple[str, str]  # the classes of some text, and the text


class Line(NamedTuple):
    """A line as it is shown. `start` is the byte of the output at which it begins."""

    start: int
    html: str
    continued: bool  # the rest of a line that was too long


@dataclass(slots=True)
class Terminal:
    """Renders the output of one attempt, piece by piece, from the byte `offset` on.

    Begin at the start of a line. `feed` returns the lines that are new or have changed: a line that is
    not ended yet is returned again, with the same `start`, when more of it comes.
    """

    offset: int = 0
    _line: int = -1  # where the line began that is being written
    _shown: int = 0  # characters of it that lines before the current one on the screen took
    _runs: list[Run] = field(default_factory=list)
    _width: int = 0
    _changes: int = 0
    _overwrite: bool = False
    _overwritten: bool = False  # something stood in this line before that is not shown
    _pen: Pen = PLAIN
    _classes: str = ""  # those of the pen
    _state: int = _GROUND
    _parameters: str = ""
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )

    def __post_init__(self) -> None:
        self._line = self.offset

    def feed(self, data: bytes) -> list[Line]:
        """The lines that these bytes add or change, in order."""
        done: list[Line] = []
        *ended, last = data.split(b"\n")
        if ended:
            self._end(ended[0], done)  # of a line that may have begun before
            self._add(ended[1:], done)
        self._write(self._decoder.decode(last), done)
        self.offset += len(last)
        if self._runs:
            done.append(self._current())
        return done

    def _end(self, piece: bytes, done: list[Line]) -> None:
        self._write(self._decoder.decode(piece, final=True), done)
        done.append(self._current())
        self._begin_line(self.offset + len(piece) + 1)

    def _add(self, pieces: list[bytes], done: list[Line]) -> None:
        """Whole lines. Most are text that stands for itself, and nothing is called for those that are empty."""
        offset = self.offset
        for piece in pieces:
            if not piece:
                done.append(Line(offset, "", False))
                offset += 1
            elif simple := _SIMPLE.fullmatch(piece):
                text = simple[1].decode()
                if text and self._classes:
                    text = f'<span class="{self._classes}">{text}</span>'
                done.append(Line(offset, text, False))
                offset += len(piece) + 1
            elif not self._classes and (html := _in_short(piece)) is not None:
                done.append(Line(offset, html, False))
                offset += len(piece) + 1
            else:
                self.offset = self._line = offset
                self._end(piece, done)
                offset = self.offset
        self.offset = self._line = offset

    def _begin_line(self, offset: int) -> None:
        self.offset = self._line = offset
        self._shown = 0
        self._clear()
        self._overwrite = self._overwritten = False
        self._state = _GROUND  # a sequence that nobody ended must not swallow the rest

    def _current(self) -> Line:
        start = self._line + self._shown
        html = _html(self._runs) + (OVERWRITTEN if self._overwritten else "")
        return Line(start, html, self._shown > 0)

    def _write(self, text: str, done: list[Line]) -> None:
        position = 0
        while position < len(text):
            position = _STEPS[self._state](self, text, position, done)

    def _ground(self, text: str, position: int, done: list[Line]) -> int:
        found = _SPECIAL.search(text, position)
        end = found.start() if found else len(text)
        if end > position:
            self._put(self._runs_of(text[position:end]), done)
        if found is None:
            return end
        if found.lastgroup == "colour":
            self._take(found.group()[2:-1])
        elif found.lastgroup == "active":
            self._act(text[end])
        return found.end()

    def _act(self, character: str) -> None:
        if character == "\r":
            self._overwrite = True
        elif character == "\x1b":
            self._state = _ESCAPE
        elif character in _CSI_OPENERS:
            self._state, self._parameters = _CSI, ""
        elif character in _STRING_OPENERS:
            self._state = _STRING

    def _escape(self, text: str, position: int, _done: list[Line]) -> int:
        character = text[position]
        if character == "[":
            self._state, self._parameters = _CSI, ""
        elif character in "]PX^_":
            self._state = _STRING
        elif not " " <= character <= "/":  # an intermediate: the sequence goes on
            self._state = _GROUND
            if _ANY_SPECIAL.match(character):
                return position  # a control character is obeyed all the same
        return position + 1

    def _csi(self, text: str, position: int, _done: list[Line]) -> int:
        end = _CSI_BODY.match(text, position).end()  # type: ignore[union-attr] # matches nothing, too
        self._parameters = (self._parameters + text[position:end])[:_MAX_PARAMETERS]
        if end == len(text):
            return end
        self._state = _GROUND
        if not "@" <= text[end] <= "~":
            return end
        if text[end] == "m":
            self._take(self._parameters)
        return end + 1

    def _take(self, parameters: str) -> None:
        """Another pen."""
        self._pen = select(self._pen, parameters)
        self._classes = self._pen.classes

    def _string(self, text: str, position: int, _done: list[Line]) -> int:
        found = _STRING_END.search(text, position)
        if found is None:
            return len(text)
        self._state = _ESCAPE if found.group() == "\x1b" else _GROUND
        return found.end()

    def _runs_of(self, text: str) -> list[Run]:
        """The text by this pen, and what of it is made visible, in turns."""
        parts = turns(text)
        if len(parts) == 1:
            return [(self._classes, text)]
        looks = (CONTROL if number % 2 else self._classes for number in range(len(parts)))
        return [run for run in zip(looks, parts, strict=True) if run[1]]

    def _put(self, runs: list[Run], done: list[Line]) -> None:
        """Add runs of which none looks as the one before. Those that surely fit are added together."""
        if self._overwrite:
            self._overwritten = self._overwritten or bool(self._runs or self._shown)
            self._clear()
            self._overwrite = False
        if len(runs) == 1:
            return self._put_one(*runs[0], done)
        at = 0
        while at < len(runs):
            self._put_one(*runs[at], done)
            more = runs[at + 1 : at + COLOURS - self._changes]
            at += 1 + len(more)
            width = self._width + sum(len(text) for _, text in more)
            if width <= WIDTH:
                self._runs += more
                self._changes += len(more)
                self._width = width
            else:
                for run in more:
                    self._put_one(*run, done)
        return None

    def _put_one(self, classes: str, text: str, done: list[Line]) -> None:
        if self._runs and classes != self._runs[-1][0]:
            self._changes += 1
            if self._changes == COLOURS:
                self._cut(done)
        while len(text) > WIDTH - self._width:
            room = WIDTH - self._width
            self._append(classes, text[:room])
            self._cut(done)
            text = text[room:]
        self._append(classes, text)

    def _cut(self, done: list[Line]) -> None:
        """What is still to come goes to another line on the screen."""
        done.append(self._current())
        self._shown += self._width
        self._clear()

    def _clear(self) -> None:
        self._runs, self._width, self._changes = [], 0, 0

    def _append(self, classes: str, text: str) -> None:
        if not text:
            return
        if self._runs and self._runs[-1][0] == classes:
            self._runs[-1] = classes, self._runs[-1][1] + text
        else:
            self._runs.append((classes, text))
        self._width += len(text)


_STEPS = {
    _GROUND: Terminal._ground,
    _ESCAPE: Terminal._escape,
    _CSI: Terminal._csi,
    _STRING: Terminal._string,
}


def _in_short(piece: bytes) -> str | None:
    """A line of ASCII as HTML; None if it has more in it than characters of their own."""
    simple = _ASCII.fullmatch(piece)
    if simple is None:
        return None
    html = simple[1].decode().translate(_HTML).replace(f"</span>{_SIGN}", "")
    return html if html.count(_SIGN) < COLOURS // 2 else None


def _html(runs: list[Run]) -> str:
    pieces = []
    for classes, text in runs:
        text = text if classes == CONTROL else escape(text)
        pieces.append(f'<span class="{classes}">{text}</span>' if classes else text)
    return "".join(pieces)
