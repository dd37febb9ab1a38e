"""Characters that nobody sees, made visible: an override of the writing direction is shown as a sign."""

import re
from functools import lru_cache

# Characters that would do something instead of showing something: controls, bidirectional overrides,
# invisible ones. Tab is let through, and the joiners that scripts and emoji are written with.
UNSEEN = (
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff"
)
HIDDEN = f"\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f{UNSEEN}"
_ANY = re.compile(rf"[\r\x1b\x80-\x9f{HIDDEN}]")
_RUNS = re.compile(f"([{HIDDEN}]+)")
_UNSEEN = re.compile(rf"[{UNSEEN}]")


@lru_cache(maxsize=512)
def symbol(character: str) -> str:
    """A sign for a character that would not be seen: ␇ for the bell, ⟨U+202E⟩ for an override."""
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"\u27e8U+{code:04X}\u27e9"


class _Signs(dict[int, str]):
    """For `str.translate`, which asks once for each character: the signs, and the end of a line as it is."""

    def __missing__(self, code: int) -> str:
        self[code] = "\n" if code == 0x0A else symbol(chr(code))
        return self[code]


_SIGNS = _Signs()


def turns(text: str) -> list[str]:
    """Text without CR and escapes, in turns: what is seen, signs for what is not, what is seen, and so on.

    Only the first and the last can be empty. A megabyte takes a fifth of a second, whatever is in it.
    """
    parts = _RUNS.split(text)
    if len(parts) > 1:
        parts[1::2] = "\n".join(parts[1::2]).translate(_SIGNS).split("\n")
    return parts


def visible(text: str) -> str:
    """Plain text with everything made visible that would do something; line ends stay."""
    return _ANY.sub(lambda found: symbol(found.group()), text.replace("\r\n", "\n"))


def unseen(text: str) -> str:
    """The first character of the text that is no control and that nobody sees; empty if none is."""
    found = _UNSEEN.search(text)
    return found.group() if found else ""
