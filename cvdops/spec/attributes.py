"""The info string of a fence: the language, then Pandoc-style attributes, each one validated."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cvdops.spec import names
from cvdops.spec.codes import Notes
from cvdops.spec.conditions import ConditionError, parse_condition
from cvdops.spec.document import Attributes, Expect, Kind, OnFailure
from cvdops.spec.kinds import a_block
from cvdops.spec.slugs import quote

_INFO = re.compile(r"(?P<language>[^\s{]*)\s*(?P<braces>\{.*)?", re.DOTALL)
LINES = re.compile(r"\{[\d,\s-]*\}\s*")  # of code to be marked: what some sites write there
_PART = re.compile(
    r"""\s*(?:\#(?P<id>[^\s}"=]+)|\.(?P<cls>[^\s}"=]+)"""
    r"""|(?P<key>[A-Za-z][\w-]*)(?:=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s}"]*)))?)(?=[\s}])"""
)
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DAY = 86_400.0
_MOST_TOLD = 5  # faults of one kind on one line


@dataclass(slots=True)
class Info:
    """What an info string says before the values are judged."""

    language: str = ""
    id: str = ""
    values: dict[str, str | None] = field(default_factory=dict)  # None: a flag


class BadValueError(ValueError):
    """What the value of an attribute has to be, as the end of a sentence."""


def read_info(text: str, line: int, notes: Notes) -> Info:
    """Takes the info string apart; what cannot be read is a diagnostic."""
    match = _INFO.match(text)
    info = Info((match["language"] if match else "").lower())
    braces = match["braces"] if match else None
    if braces and not LINES.fullmatch(braces):
        _read_braces(braces, info, line, notes)
    return info


def _read_braces(braces: str, info: Info, line: int, notes: Notes) -> None:
    position = 1
    twice: dict[str, None] = {}
    while part := _PART.match(braces, position):
        position = part.end()
        if part["id"]:
            info.id = part["id"]
        elif part["key"]:
            if part["key"] in info.values:
                twice[part["key"]] = None
            _remember(info, part)
    if twice:
        names = ", ".join([*twice][:_MOST_TOLD])
        notes.add("RB201", line, f"There twice or more often: {names}.", "Keep one of each.")
    if braces[position:].strip() != "}":
        notes.add(
            "RB201",
            line,
            f"The attributes cannot be read from {quote(braces[position:].strip() or '}')} on.",
            'Write {#id key=value key="two words" flag} on the line of the fence.',
        )


def _remember(info: Info, part: re.Match[str]) -> None:
    key, value = part["key"], part["bare"]
    if part["quoted"] is not None:
        value = re.sub(r"\\(.)", r"\1", part["quoted"])
    info.values[key] = value


def seconds(text: str, most: float = _DAY) -> float:
    """A duration such as `90s`, `5m` or `2h` in seconds. Raises BadValueError."""
    match = _DURATION.fullmatch(text)
    value = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 0 < value <= most:
        raise BadValueError(f"a duration such as 90s, 5m or 2h, at most {most / 3600:g}h")
    return value


def _integer(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", text) or not least <= int(text) <= most:
            raise BadValueError(f"a whole number from {least} to {most}")
        return int(text)

    return read


def _integers(least: int, most: int) -> Callable[[str], tuple[int, ...]]:
    def read(text: str) -> tuple[int, ...]:
        try:
            return tuple(_integer(least, most)(part.strip()) for part in text.split(","))
        except BadValueError:
            wanted = f"whole numbers from {least} to {most} with commas between"
            raise BadValueError(wanted) from None

    return read


def _matching(pattern: re.Pattern[str], wanted: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not pattern.fullmatch(text):
            raise BadValueError(wanted)
        return text

    return read


def _choice(values: type[Expect] | type[OnFailure]) -> Callable[[str], Expect | OnFailure]:
    def read(text: str) -> Expect | OnFailure:
        try:
            return values(text)
        except ValueError:
            raise BadValueError(f"one of {', '.join(values)}") from None

    return read


def _variable(text: str) -> str:
    if why := names.why_not_variable(text):
        raise BadValueError(f"the name of a variable, and this {why}")
    return text


def _condition(text: str) -> str:
    try:
        parse_condition(text)
    except ConditionError as error:
        raise BadValueError(f"a condition such as ENVIRONMENT == production: {error}") from None
    return text


_word = _matching(names.WORD, "a name of letters, digits, dots, hyphens and underscores")
_FLAGS = frozenset({"checkpoint", "destructive", "idempotent"})
_READERS: dict[str, tuple[str, Callable[[str], object]]] = {
    "timeout": ("timeout", seconds),
    "target": ("target", _word),
    "batch": ("batch", _integer(1, 10_000)),
    "rollback": ("rollback", _matching(names.STEP_ID, "the id of a step")),
    "retry": ("retry", _integer(0, 100)),
    "backoff": ("backoff", seconds),
    "on-failure": ("on_failure", _choice(OnFailure)),
    "expect": ("expect", _choice(Expect)),
    "exit": ("exit_codes", _integers(0, 255)),
    "when": ("when", _condition),
    "capture": ("capture", _variable),
    "lock": ("lock", _word),
    "database": ("database", _word),
    "expect-status": ("expect_status", _integers(100, 599)),
}
_ANY = frozenset({"when", "checkpoint", "destructive", "rollback"})
_RUN = _ANY | {
    "timeout",
    "idempotent",
    "retry",
    "backoff",
    "on-failure",
    "expect",
    "capture",
    "lock",
}
_HOST = _RUN | {"target", "batch", "exit"}
_FIT: dict[Kind, frozenset[str]] = {
    Kind.BASH: _HOST,
    Kind.SH: _HOST,
    Kind.CONSOLE: _HOST,
    Kind.PYTHON: _HOST,
    Kind.SQL: _HOST | {"database"},
    Kind.HTTP: _RUN | {"expect-status"},
    Kind.RUNBOOK: _ANY | {"on-failure", "lock"},
    Kind.MANUAL: _ANY | {"capture"},
    Kind.APPROVAL: frozenset({"when"}),
}


def judge(info: Info, kind: Kind, line: int, notes: Notes) -> Attributes:
    """The attributes with their defaults; each that is unknown, unfit or bad is a diagnostic."""
    changes: dict[str, Any] = {}
    unfit: list[str] = []
    for key, value in info.values.items():
        known = key in _FLAGS or key in _READERS
        if not known or key not in _FIT[kind]:
            why = f"does not fit {a_block(kind)}" if known else "is not known"
            unfit.append(f"The attribute {quote(key)} {why}.")
        elif key in _FLAGS:
            changes[key] = _flag(key, value, line, notes)
        else:
            changes |= _value(key, value or "", line, notes)
    for message in _bounded(unfit):
        notes.add("RB202", line, message, f"It takes: {', '.join(sorted(_FIT[kind]))}.")
    if changes.get("checkpoint"):
        changes.setdefault("expect", Expect.CONTAINS)
    return Attributes(**changes)


def _bounded(messages: Sequence[str]) -> Iterator[str]:
    """The first of them, and how many more there are: a line that went wrong may hold thousands."""
    yield from messages[:_MOST_TOLD]
    if (more := len(messages) - _MOST_TOLD) > 0:
        yield f"{more} more attributes of this block are unknown or do not fit it."


def _flag(key: str, value: str | None, line: int, notes: Notes) -> bool:
    if value not in (None, "true", "false"):
        message = f"{key}={quote(value)} is wrong: {key} is a flag."
        notes.add("RB203", line, message, f"Write {key} alone.")
    return value != "false"


def _value(key: str, value: str, line: int, notes: Notes) -> dict[str, object]:
    name, read = _READERS[key]
    try:
        return {name: read(value)}
    except BadValueError as error:
        code = "RB209" if key == "when" else "RB203"
        notes.add(code, line, f"{key}={quote(value)} is wrong.", f"It has to be {error}.")
        return {}
