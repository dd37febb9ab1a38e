"""The findings of a lint as text: for people, for programs, for code scanning and for pull requests."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from cvdops.spec.codes import CODES
from cvdops.spec.document import Diagnostic, Severity
from cvdops.spec.serialise import diagnostic_json

Report = Sequence[tuple[str, Sequence[Diagnostic]]]  # each file's path and what was found in it

_PAGES = Path(__file__).parents[2] / "docs" / "lint"
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_SARIF_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_GITHUB_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def _page(code: str) -> str:
    """What the documentation says of the code; empty where it was not installed with the program."""
    page = _PAGES / f"{code}.md"
    return page.read_text(encoding="utf-8") if page.exists() else ""


def as_text(report: Report) -> str:
    """Like a compiler: path, line, severity, message, code; the hint below; a sum at the end."""
    lines = [line for path, found in report for d in found for line in _lines(path, d)]
    counts = [sum(d.severity is s for _, found in report for d in found) for s in Severity]
    summary = ", ".join(map(_count, counts, ("error", "warning", "note")))
    return "\n".join([*lines, f"{_count(len(report), 'file')}: {summary}"])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _lines(path: str, diagnostic: Diagnostic) -> Iterator[str]:
    d = diagnostic
    yield f"{path}:{d.line}: {d.severity}: {d.message} [{d.code}]"
    if d.hint:
        yield f"    {d.hint}"


def as_json(report: Report) -> str:
    """A list of findings, each with its path."""
    values = [{"path": path, **diagnostic_json(d)} for path, found in report for d in found]
    return json.dumps(values, indent=2, ensure_ascii=False)


def as_github(report: Report) -> str:
    """Workflow commands, which GitHub shows beside the lines of a pull request."""
    return "\n".join(_annotation(path, d) for path, found in report for d in found)


def _annotation(path: str, diagnostic: Diagnostic) -> str:
    place = f"file={_property(path)},line={diagnostic.line},title={diagnostic.code}"
    text = f"{diagnostic.message} {diagnostic.hint}".strip()
    return f"::{_GITHUB_LEVELS[diagnostic.severity]} {place}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_sarif(report: Report) -> str:
    """SARIF 2.1.0, with those rules that found something."""
    used = sorted({d.code for _, found in report for d in found})
    run = {
        "tool": {"driver": {"name": "cvdops-lint", "rules": [_rule(code) for code in used]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(path, d, used.index(d.code)) for path, found in report for d in found],
    }
    log = {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False)


def _rule(code: str) -> dict[str, object]:
    severity, explanation = CODES[code]
    page = _page(code)
    return {
        "id": code,
        "shortDescription": {"text": explanation},
        "help": {"text": page or explanation} | ({"markdown": page} if page else {}),
        "defaultConfiguration": {"level": _SARIF_LEVELS[severity]},
    }


def _result(path: str, diagnostic: Diagnostic, rule: int) -> dict[str, object]:
    d = diagnostic
    place = {"artifactLocation": {"uri": _uri(path)}, "region": {"startLine": d.line}}
    return {
        "ruleId": d.code,
        "ruleIndex": rule,
        "level": _SARIF_LEVELS[d.severity],
        "message": {"text": f"{d.message} {d.hint}".strip()},
        "locations": [{"physicalLocation": place}],
    }


def _uri(path: str) -> str:
    """Relative to where the command runs, or a file URI for an absolute path."""
    return f"file://{quote(path)}" if path.startswith("/") else quote(path)


FORMATS: dict[str, Callable[[Report], str]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}
