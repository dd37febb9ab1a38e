"""Output of a step for somebody's terminal: colours stay (SGR), every other control sequence is dropped.

A terminal obeys what it is sent: a step could otherwise move its cursor, change its title or its keys.
"""

import codecs
import re

_LONGEST = 256  # characters of parameters that are kept of a sequence
# The controls, of eight bits too, whether as a character or as a byte that is no UTF-8.
_ACTIVE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\udc80-\udc9f]")
_BODY = re.compile(r"[ -?]*")
_COLOUR = re.compile(r"[0-9;:]*")
_STRING_END = re.compile(r"[\x07\x18\x1a\x1b\x9c\n]")
_GROUND, _ESCAPE, _SEQUENCE, _STRING = range(4)
_RESET = b"\x1b[0m"


class Sgr:
    """Goes through an output piece by piece; pieces may end anywhere. `colours`: whether they are kept."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours
        self._state = _GROUND
        self._parameters = ""
        self._painted = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def feed(self, data: bytes) -> bytes:
        """What of these bytes may be shown. Text stays byte for byte."""
        return self._shown(self._decoder.decode(data))

    def end(self) -> bytes:
        """What is shown after the last piece: a character that was cut off, and the end of a colour."""
        rest = self._shown(self._decoder.decode(b"", final=True))
        painted, self._painted = self._painted, False
        return rest + (_RESET if painted else b"")

    def _shown(self, text: str) -> bytes:
        shown: list[str] = []
        position = 0
        while position < len(text):
            if text[position] == "\n":  # a sequence that nobody ended must not swallow the rest
                self._state = _GROUND
            position = _STEPS[self._state](self, text, position, shown)
        return "".join(shown).encode("utf-8", "surrogateescape")

    def _ground(self, text: str, position: int, shown: list[str]) -> int:
        found = _ACTIVE.search(text, position)
        end = found.start() if found else len(text)
        shown.append(text[position:end])
        if found is None:
            return end
        # A byte of its own is taken for the character of the same number.
        code = ord(found.group()) & 0xFF
        if code == 0x1B:
            self._state = _ESCAPE
        elif code == 0x9B:
            self._state, self._parameters = _SEQUENCE, ""
        elif code in {0x90, 0x98, 0x9D, 0x9E, 0x9F}:
            self._state = _STRING
        return end + 1

    def _escape(self, text: str, position: int, _shown: list[str]) -> int:
        character = text[position]
        if character == "[":
            self._state, self._parameters = _SEQUENCE, ""
        elif character in "]PX^_":
            self._state = _STRING
        elif not " " <= character <= "/":  # an intermediate: the sequence goes on
            self._state = _GROUND
            if not "0" <= character <= "~":
                return position  # no part of it
        return position + 1

    def _sequence(self, text: str, position: int, shown: list[str]) -> int:
        body = _BODY.match(text, position)
        end = body.end() if body else position
        self._parameters = (self._parameters + text[position:end])[: _LONGEST + 1]
        if end == len(text):
            return end
        self._state = _GROUND
        if not "@" <= text[end] <= "~":
            return end  # no part of it
        simple = _COLOUR.fullmatch(self._parameters) and len(self._parameters) <= _LONGEST
        if text[end] == "m" and simple and self._colours:
            shown.append(f"\x1b[{self._parameters}m")
            self._painted = self._parameters.strip("0;") != ""
        return end + 1

    def _string(self, text: str, position: int, _shown: list[str]) -> int:
        found = _STRING_END.search(text, position)
        if found is None:
            return len(text)
        if found.group() == "\n":
            return found.start()
        self._state = _ESCAPE if found.group() == "\x1b" else _GROUND
        return found.end()


_STEPS = {
    _GROUND: Sgr._ground,
    _ESCAPE: Sgr._escape,
    _SEQUENCE: Sgr._sequence,
    _STRING: Sgr._string,
}
