"""Compares an expected output of the document with what the step really printed.

The comparison is tolerant: times, dates, durations, ids, hosts, sizes and measures match anything of their
kind, and `...` matches anything. Numbers that mean something (a status code, a count) do not.
"""

import re
import time
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from cvdops.lib.visible import visible
from cvdops.spec import patterns
from cvdops.spec.document import Expect
from cvdops.spec.slugs import quote

Verdict = Literal["kept", "differs", "not_comparable"]

_MAX_OUTPUT = 200_000  # characters; the end of a longer output is what is compared
_MAX_LINE = 2_000
_NEAREST_OF = 60
_PATIENCE = 2.0  # seconds for all expressions of a sample
_MARK = (
    "\x00"  # begins a placeholder; no output line holds one, because control characters are removed
)
_ANYTHING = f"{_MARK}*"

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("id", r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?!\w)"),
        (
            "time",
            r"\b(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},?\s+)?(?:\d{4}[-/]\d\d[-/]\d\d|\d{1,2}[./]\d{1,2}[./]\d{4})"
            r"(?:[T ,_]{1,2}\d\d:?\d\d(?::?\d\d)?(?:[.,]\d{1,9})?)?"
            r"(?:\s?(?:Z|UTC|GMT|CES?T|[+-]\d\d:?\d\d))?(?!\w)",
        ),
        (
            "time",
            r"\b(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},?\s+)?(?:\d{1,2}\s+)?"
            r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\s+\d{1,4}"
            r"(?:,?\s+\d\d:\d\d(?::\d\d)?)?(?:\s+(?:UTC|GMT|CES?T))?(?:\s+\d{4})?(?!\w)",
        ),
        ("time", r"(?<![0-9A-Za-z])20\d{6}(?:[T_-]?\d{4,6})?(?![0-9])"),
        ("time", r"(?<![\w.:])\d{1,2}:[0-5]\d(?::\d\d)?(?:[.,]\d{1,9})?(?:\s?[ap]m)?(?!\w)"),
        ("host", r"\bhttps?://[\w.-]+(?::\d{1,5})?"),
        ("host", r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5}|/\d{1,2})?(?![\w.])"),
        (
            "host",
            r"(?<![\w.-])(?:localhost|(?:[a-z0-9-]{1,63}\.){1,9}(?:com|org|net|io|local|internal|lan|example))(?::\d{1,5})?(?!\w)",
        ),
        (
            "measure",
            r"(?<![\w.])[-+]?\d+(?:[.,]\d+)?\s?(?:%|(?:[kmgtp]i?)?b(?:ytes?)?(?:/s)?|[kmgt]|[num\u00b5]?s|[mk]?hz|m[bs]/s"
            r"|milliseconds?|seconds?|secs?|minutes?|mins?|hours?|hrs?|h|days?|weeks?|months?|years?)(?!\w)"
            r"(?:\s?\d+(?:\.\d+)?\s?(?:ms|s|m|h|min|sec)(?!\w))*",
        ),
        ("id", r"(?<!\w)(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}(?!\w)"),
        ("id", r"\b(?<=pid )\d+|(?<=pid: )\d+|(?<=pid=)\d+"),
    )
)
_MEASURE = next(pattern for kind, pattern in _KINDS if kind == "measure")
_EXTREME = re.compile(r"[-+]?0(?:[.,]0+)?(?![\d.,])|100(?:[.,]0+)?\s?%")
_SPACES = re.compile(r"^ +| {2,}| +$")
_SHOWN = 60
_ELLIPSIS = re.compile(
    r"\.{3,}|\u2026|<[A-Za-z][\w .-]{0,40}>|\$\{\w{1,64}\}|\[(?:timestamp|date|time|id|size)\]"
    r"|\bX{3,}\b|\b(?:YYYY|yyyy)[\w:-]*"
)
_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_PROSE = re.compile(
    r"\b(?:should|must|will|would|shall|you|expect(?:ed|ing)?|either|similar|no errors?|confirms?|verify|ensure"
    r"|shows?|displays?|returns?|lists?|prints?|contains?|all \w+ (?:are|pass|running)|e\.g\.|for example)\b",
    re.IGNORECASE,
)
_SHAPE = re.compile(r"[{}\[\]=|<>;/\\_]|:\s?\S|^\s{2,}|\d{2,}|\t", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleResult:
    """Whether a promise was kept, and where it was not a readable difference."""

    verdict: Verdict
    detail: str = ""


def compare(sample: str, output: str, expect: Expect | None) -> SampleResult:
    """`exact`: the same lines; `regex`: found in the output; else each line of the sample in this order."""
    wanted, printed = _lines(sample), _lines(output[-_MAX_OUTPUT:])
    if not wanted:
        return _nothing(printed)
    if expect is Expect.EXACT:
        return _exact(wanted, printed)
    if expect is Expect.REGEX:
        return _regex(wanted, printed)
    result = _in_order(wanted, printed, within=expect is Expect.CONTAINS)
    if result.verdict == "differs" and expect is None and is_prose(sample):
        return SampleResult(verdict="not_comparable", detail="The document describes it in words.")
    return result


def _nothing(printed: list[str]) -> SampleResult:
    """An empty sample promises that nothing is printed."""
    if not printed:
        return SampleResult(verdict="kept")
    return _differs(f"Nothing should come; line 1 is {_shown(printed[0])}.")


def _lines(text: str) -> list[str]:
    lines = [_CONTROL.sub("", line)[:_MAX_LINE].rstrip() for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    return lines


def _exact(wanted: list[str], printed: list[str]) -> SampleResult:
    for number, (a, b) in enumerate(zip(wanted, printed, strict=False), start=1):
        if a != b:
            return _differs(
                f"Line {number} should be {_shown(a)} and is {_shown(b)}{_where(a, b)}."
            )
    if len(wanted) != len(printed):
        return _differs(f"Promised lines: {len(wanted)}; lines that came: {len(printed)}.")
    return SampleResult(verdict="kept")


def _where(a: str, b: str) -> str:
    """From which column on two lines differ, where their beginnings do not show it."""
    column = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), 0)
    column = column or min(len(a), len(b))
    return f": they differ from column {column + 1} on" if _shown(a) == _shown(b) else ""


def _shown(line: str) -> str:
    """The line as it is, with signs for what would not be seen and for spaces that matter."""
    text = _SPACES.sub(lambda m: "\u2420" * len(m[0]), visible(line.replace("\t", "\u2409")))
    return f"“{text[:_SHOWN]}…”" if len(text) > _SHOWN else f"“{text}”"


def _regex(wanted: list[str], printed: list[str]) -> SampleResult:
    """Each line is an expression of its own, found in a line of the output."""
    deadline = time.monotonic() + _PATIENCE
    for expression in wanted:
        try:
            patterns.check(expression, searched=True)
            longest = patterns.longest_value(expression, _MAX_LINE, searched=True)
        except patterns.PatternError as error:
            return _differs(str(error))
        search = re.compile(expression).search
        for line in printed:
            if time.monotonic() > deadline:
                return _differs(f"To look for {quote(expression)} takes longer than 2 s.")
            if search(line[:longest]):
                break
        else:
            return _differs(f"No line of the output matches {quote(expression)}.")
    return SampleResult(verdict="kept")


def _in_order(wanted: list[str], printed: list[str], *, within: bool) -> SampleResult:
    normal = [normalised(line) for line in printed]
    at = 0
    for number, line in enumerate(wanted, start=1):
        pieces = _pieces(line)
        if not any(pieces):
            continue  # blank, or anything at all
        found = next((i for i in range(at, len(normal)) if _fits(pieces, normal[i], within)), None)
        if found is None:
            return _missing(number, line, printed[at:])
        at = found + 1
    return SampleResult(verdict="kept")


def _missing(number: int, line: str, rest: list[str]) -> SampleResult:
    detail = f"Line {number} of the sample, {quote(line)}, did not come."
    nearest = max(rest[:_NEAREST_OF], key=lambda other: _likeness(line, other), default="")
    if nearest and _likeness(line, nearest) > 0.5:
        detail += f" The nearest is {quote(nearest)}."
    return _differs(detail)


def _likeness(a: str, b: str) -> float:
    matcher = SequenceMatcher(None, a[:120], b[:120], autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() > 0.5 else 0.0


def _differs(detail: str) -> SampleResult:
    return SampleResult(verdict="differs", detail=detail)


def normalised(line: str) -> str:
    """The line with a mark in place of each time, date, duration, id, host, size and measure."""
    for kind, pattern in _KINDS:
        line = pattern.sub(f"{_MARK}{kind}{_MARK}", line)
    return _SPACE.sub(" ", line).strip()


def _pieces(line: str) -> list[str]:
    """The parts of a sample's line between its ellipses, as they have to be found."""
    return [piece.strip() for piece in normalised(_ELLIPSIS.sub(_ANYTHING, line)).split(_ANYTHING)]


def _fits(pieces: list[str], line: str, within: bool) -> bool:
    """Whether the pieces stand in the line in this order; the whole line unless `within`."""
    first, *more = pieces
    if not more and not within:
        return line == first
    if not within and not line.startswith(first):
        return False
    at = 0
    for piece in pieces:
        at = _find(piece, line, at)
        if at < 0:
            return False
    return within or line.endswith(pieces[-1])


def _find(piece: str, line: str, start: int) -> int:
    """Where the piece ends in the line, as whole words; -1 if it is not there."""
    at = line.find(piece, start)
    while at >= 0:
        end = at + len(piece)
        before = at > 0 and piece[:1].isalnum() and line[at - 1].isalnum()
        after = end < len(line) and piece[-1:].isalnum() and line[end].isalnum()
        if not before and not after:
            return end
        at = line.find(piece, at + 1)
    return -1


def all_or_nothing(sample: str) -> str:
    """The first measure that says none or all, such as 0%, although any other keeps it; else empty."""
    measures = (found.group().strip() for found in _MEASURE.finditer(sample))
    return next((text for text in measures if _EXTREME.match(text)), "")


def is_prose(sample: str) -> bool:
    """Plain English instead of an output: a description of it, or a sentence without any shape."""
    text = sample.strip()
    if not text or "\n\n" in text:
        return False
    sentence = text.endswith(".") and len(text.split()) >= 4 and not _SHAPE.search(text)
    return bool(_PROSE.search(text) and not _SHAPE.search(text)) or sentence
