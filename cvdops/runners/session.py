"""Reading back the variables that a shell left: scalars that are text, within limits. No others are kept."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

END = b"\0end"  # without it the dump was cut off
MAX_DUMP = 8 << 20  # bytes that are looked at
MAX_VARIABLE = (1 << 17) - 1  # bytes of NAME=value: no process could be given more
MAX_SESSION = 1 << 20  # bytes of all variables

# Set by the shell itself or by us: not part of the session.
INTERNAL = frozenset(
    """
    BASH BASHOPTS BASHPID DIRSTACK EPOCHREALTIME EPOCHSECONDS EUID FUNCNAME FUNCNEST GROUPS HISTCMD
    HOSTNAME HOSTTYPE IFS LINENO MACHTYPE OLDPWD OPTERR OPTIND OSTYPE PIPESTATUS PPID PS1 PS2 PS4 PWD
    RANDOM SECONDS SHELL SHELLOPTS SHLVL SRANDOM TERM UID _
    """.split()  # noqa: SIM905 — a list of this length is one name a line
)
_INTERNAL_PREFIXES = ("BASH_", "COMP_", "CVDOPS_", "__cvdops")

_DOUBLE = rb'"(?P<double>[^"\\]*+(?:\\.[^"\\]*+)*+)"'
_ANSI = rb"\$'(?P<ansi>[^'\\]*+(?:\\.[^'\\]*+)*+)'"
_LIST = rb"""(?P<list>\((?:[^"'$()]++|"[^"\\]*+(?:\\.[^"\\]*+)*+"|\$'[^'\\]*+(?:\\.[^'\\]*+)*+'|\$)*+\))"""
_DECLARATION = re.compile(
    rb"declare -(?P<flags>[-A-Za-z]+) (?P<name>[A-Za-z_]\w*)"
    rb"(?:=(?:" + _DOUBLE + rb"|" + _ANSI + rb"|" + _LIST + rb"))?\n",
    re.DOTALL | re.ASCII,
)
_NAME = re.compile(rb"[A-Za-z_]\w*", re.ASCII)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|x[0-9A-Fa-f]{1,2}|.)", re.DOTALL)
_LETTERS = dict(zip(b"abtnvfreE", b"\a\b\t\n\v\f\r\x1b\x1b", strict=True))


@dataclass(frozen=True, slots=True)
class Session:
    """What a shell left."""

    variables: dict[str, str] = field(default_factory=dict)
    cwd: str = ""
    carried: bool = False
    dropped: tuple[str, ...] = ()


def read_session(dump: bytes) -> Session:
    """The session in a dump: the working directory, NUL, `declare -p` or `env -0`, the end mark."""
    place, _, rest = dump.partition(b"\0")
    if not dump.endswith(END):
        return Session()
    body = rest[: -len(END)]
    pairs = _declared(body) if body.startswith(b"declare -") else _exported(body)
    if pairs is None:
        return Session()
    variables, dropped = _kept(pairs)
    return Session(variables, _text(place.removesuffix(b"\n")) or "", True, dropped)


def _kept(pairs: Iterable[tuple[bytes, bytes | None]]) -> tuple[dict[str, str], tuple[str, ...]]:
    found: dict[str, str] = {}
    dropped = []
    room = MAX_SESSION
    for raw, value in pairs:
        name = raw.decode("ascii")
        if name in INTERNAL or name.startswith(_INTERNAL_PREFIXES):
            continue
        text = None if value is None else _text(value)
        size = len(raw) + len(value or b"") + 1
        if text is None or size > MAX_VARIABLE or size > room:
            dropped.append(name)
            continue
        room -= size
        found[name] = text
    return found, tuple(dropped)


def _text(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _exported(body: bytes) -> Iterator[tuple[bytes, bytes | None]]:
    for entry in body.split(b"\0"):
        name, equals, value = entry.partition(b"=")
        if equals and _NAME.fullmatch(name):
            yield name, value


def _declared(body: bytes) -> list[tuple[bytes, bytes | None]] | None:
    """The variables of a `declare -p`, arrays without a value; None if it cannot be understood to its end."""
    found: list[tuple[bytes, bytes | None]] = []
    at = 0
    while at < len(body):
        match = _DECLARATION.match(body, at)
        if match is None:
            return None
        at = match.end()
        flags, name, double, ansi = match.group("flags", "name", "double", "ansi")
        if match["list"]:
            found.append((name, None))
        if (double is None and ansi is None) or b"n" in flags:
            continue  # a reference, or declared without a value
        found.append((name, _unquoted(double) if ansi is None else _ESCAPE.sub(_unescape, ansi)))
    return found


def _unquoted(text: bytes) -> bytes:
    return _ESCAPED.sub(rb"\1", text) if b"\\" in text else text


def _unescape(match: "re.Match[bytes]") -> bytes:
    code = match[1]
    if code[0] in b"01234567":
        return bytes([int(code, 8) & 0xFF])
    if code[:1] == b"x" and len(code) > 1:
        return bytes([int(code[1:], 16)])
    return bytes([_LETTERS.get(code[0], code[0])])
