"""Output of a step as plain text: what `terminal` shows of it, without colours, many times as fast. Pure."""

import re
from collections.abc import Iterable, Iterator

from cvdops.lib.visible import HIDDEN, turns

PIECE = 1 << 20  # bytes that are looked at at once
LONGEST = 4 << 20  # bytes of a line; a longer one is cut

_STRING = r"[^\n\x07\x18\x1a\x1b\x9c]*+[\x07\x18\x1a\x9c]?"
_CSI = r"[ -?]*+[@-~]?"
# The states of the terminal as one expression. It never goes back, so time is linear in the text.
_SEQUENCE = re.compile(
    rf"\x1b++[ -/]*+(?:\[{_CSI}|[\]PX^_]{_STRING}|[^\n\r\x1b\x80-\x9f{HIDDEN}]?)"
    rf"|\x9b{_CSI}|[\x90\x98\x9d\x9e\x9f]{_STRING}|[\x80-\x9f]"
)
_OVERWRITTEN = re.compile(r"^[^\n]*\r(?=[^\r\n])", re.MULTILINE)
_ACTIVE = bytes(
    [*range(9), *range(11, 32), 127]
)  # ASCII that is neither text, nor tab, nor line end


def is_plain(data: bytes) -> bool:
    """Whether it is shown byte for byte as it is."""
    return data.isascii() and len(data.translate(None, _ACTIVE)) == len(data)


def plain(data: bytes) -> str:
    """Whole lines as they are shown: a line that was written over as it was in the end."""
    text = data.decode("utf-8", "replace")
    if is_plain(data):
        return text
    text = _OVERWRITTEN.sub("", _SEQUENCE.sub("", text)).replace("\r", "")
    return "".join(turns(text))


def whole_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut at the ends of lines, in pieces of a megabyte or so."""
    kept: list[bytes] = []
    size = 0
    for piece in pieces:
        kept.append(piece)
        size += len(piece)
        if size < PIECE:
            continue
        data = b"".join(kept)
        end = data.rfind(b"\n") + 1
        if end or size > LONGEST:
            end = end or size
            yield data[:end]
            data = data[end:]
        kept, size = [data], len(data)
    if size:
        yield b"".join(kept)
