"""The colours of a terminal (SGR) as CSS classes of a closed set. Pure."""

from dataclasses import dataclass, replace
from functools import lru_cache

_STYLES = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike"}
_STYLES_OFF = {
    22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("inverse",), 29: ("strike",),
}  # fmt: skip
# The sixteen colours that a class exists for, as a terminal usually shows them.
_PALETTE = (
    (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205),
    (229, 229, 229), (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255),
    (255, 0, 255), (0, 255, 255), (255, 255, 255),
)  # fmt: skip
_CUBE = (0, 95, 135, 175, 215, 255)


@dataclass(frozen=True, slots=True)
class Pen:
    """How the next character looks. Colours are 0 to 15, or None for the terminal's own."""

    foreground: int | None = None
    background: int | None = None
    styles: frozenset[str] = frozenset()

    @property
    def classes(self) -> str:
        """The classes of the `<span>`; empty for plain text."""
        names = [f"t-{style}" for style in sorted(self.styles)]
        if self.foreground is not None:
            names.append(f"t-f{self.foreground}")
        if self.background is not None:
            names.append(f"t-b{self.background}")
        return " ".join(names)


PLAIN = Pen()


@lru_cache(maxsize=1024)
def select(pen: Pen, parameters: str) -> Pen:
    """The pen after `ESC [ parameters m`. What is not understood changes nothing."""
    codes = [int(code) if code.isascii() and code.isdecimal() else 0 for code in _split(parameters)]
    index = 0
    while index < len(codes):
        code = codes[index]
        if code in {38, 48}:
            colour, used = _extended(codes[index + 1 : index + 5])
            if colour is not None:
                pen = _coloured(pen, colour, background=code == 48)
            index += used
        else:
            pen = _apply(pen, code)
        index += 1
    return pen


def _split(parameters: str) -> list[str]:
    return [code[:5] for code in parameters.replace(":", ";").split(";")][:32]


def _apply(pen: Pen, code: int) -> Pen:
    if code == 0:
        return PLAIN
    if code in _STYLES:
        return replace(pen, styles=pen.styles | {_STYLES[code]})
    if code in _STYLES_OFF:
        return replace(pen, styles=pen.styles.difference(_STYLES_OFF[code]))
    for first, background, bright in (
        (30, False, 0),
        (40, True, 0),
        (90, False, 8),
        (100, True, 8),
    ):
        if first <= code < first + 8:
            return _coloured(pen, code - first + bright, background=background)
    if code == 39:
        return replace(pen, foreground=None)
    if code == 49:
        return replace(pen, background=None)
    return pen


def _coloured(pen: Pen, colour: int, *, background: bool) -> Pen:
    if background:
        return replace(pen, background=colour)
    return replace(pen, foreground=colour)


def _extended(codes: list[int]) -> tuple[int | None, int]:
    """A colour of 256 or of 16 million as the nearest of the sixteen, and how many codes it took."""
    if codes[:1] == [5] and len(codes) > 1:
        return _of_256(codes[1]), 2
    if codes[:1] == [2] and len(codes) > 3:
        return _nearest((codes[1], codes[2], codes[3])), 4
    return None, len(codes)


def _of_256(number: int) -> int | None:
    if number > 255:
        return None
    if number < 16:
        return number
    if number >= 232:
        grey = 8 + 10 * (number - 232)
        return _nearest((grey, grey, grey))
    number -= 16
    return _nearest((_CUBE[number // 36], _CUBE[number // 6 % 6], _CUBE[number % 6]))


def _nearest(colour: tuple[int, int, int]) -> int:
    return min(
        range(16),
        key=lambda n: sum((a - b) ** 2 for a, b in zip(colour, _PALETTE[n], strict=True)),
    )
