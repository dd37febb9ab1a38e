"""Reading back the variables that a shell left: scalars only, within limits."""

import re
from collections.abc import Iterator

from cvdops.runners.wrapper import INTERNAL

MAX_VALUE = 1 << 16  # bytes
_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*\Z")
_DECLARATION = re.compile(rb"declare -([-A-Za-z]+) ([A-Za-z_][A-Za-z0-9_]*)(=?)")
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.)", re.DOTALL)
_PLAIN = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_PLAIN |= {b"e": b"\x1b", b"E": b"\x1b"}


def from_bash(dump: bytes) -> dict[str, str]:
    """The variables of a `declare -p`."""
    return _kept(_declared(dump))


def from_sh(dump: bytes) -> dict[str, str]:
    """The variables of an `env -0`."""
    return _kept(entry.partition(b"=")[::2] for entry in dump.split(b"\0")[:-1])


def _kept(pairs: "Iterator[tuple[bytes, bytes]]") -> dict[str, str]:
    found = {}
    for name, value in pairs:
        text = name.decode("ascii", "replace")
        internal = text in INTERNAL or text.startswith(("BASH", "__cvdops"))
        if _NAME.match(name) and not internal and len(value) <= MAX_VALUE and b"\0" not in value:
            found[text] = value.decode("utf-8", "replace")
    return found


def _declared(dump: bytes) -> "Iterator[tuple[bytes, bytes]]":
    at = 0
    while match := _DECLARATION.match(dump, at):
        flags, name, assigned = match.groups()
        at = match.end()
        if assigned:
            value, at = _value(dump, at)
            if value is not None and not set(flags) & set(b"aAn"):
                yield name, value
        at = dump.find(b"\n", at) + 1
        if at == 0:
            return


def _value(dump: bytes, at: int) -> tuple[bytes | None, int]:
    """The value that begins here and where it ends; None for an array."""
    if dump[at : at + 1] == b'"':
        return _double(dump, at + 1)
    if dump[at : at + 2] == b"$'":
        return _ansi(dump, at + 2)
    if dump[at : at + 1] != b"(":
        return None, at
    at += 1
    while at < len(dump) and dump[at : at + 1] != b")":
        quoted = dump[at : at + 1] == b'"' or dump[at : at + 2] == b"$'"
        at = _value(dump, at)[1] if quoted else at + 1
    return None, at


def _double(dump: bytes, at: int) -> tuple[bytes, int]:
    out = bytearray()
    while at < len(dump) and dump[at] != 0x22:
        if dump[at] == 0x5C and at + 1 < len(dump):
            at += 1
        out.append(dump[at])
        at += 1
    return bytes(out), at + 1


def _ansi(dump: bytes, at: int) -> tuple[bytes, int]:
    end = at
    while end < len(dump) and dump[end] != 0x27:
        end += 2 if dump[end] == 0x5C else 1
    return _ESCAPE.sub(_unescape, dump[at:end]), end + 1


def _unescape(match: "re.Match[bytes]") -> bytes:
    code = match[1]
    if code in _PLAIN:
        return _PLAIN[code]
    if code[:1] == b"x" and len(code) > 1:
        return bytes([int(code[1:], 16)])
    if code[:1] in b"01234567":
        return bytes([int(code, 8) & 0xFF])
    return code
