"""Judges the values that somebody gives for the variables of a procedure, before anything starts."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from cvdops.spec import patterns
from cvdops.spec.document import COMMON_VARIABLES, Runbook, Variable, VariableType
from cvdops.spec.slugs import quote

MAX_LENGTH = 4096
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_VERSION = re.compile(r"v?[0-9]{1,9}(?:\.[0-9]{1,9}){0,4}(?:[-+.][0-9A-Za-z][0-9A-Za-z.+-]{0,60})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueProblem:
    """One thing that is wrong with one value. `value` is empty for a secret."""

    name: str
    rule: str  # unknown | common | required | length | characters | type | pattern | minimum | …
    value: str
    message: str


class _BrokenRuleError(Exception):
    def __init__(self, rule: str, wanted: str) -> None:
        super().__init__(wanted)
        self.rule = rule


def variables_of(runbook: Runbook, procedure: str) -> tuple[Variable, ...]:
    """The declared variables that this procedure takes."""
    return tuple(v for v in runbook.variables if not v.procedures or procedure in v.procedures)


def check(
    runbook: Runbook, procedure: str, given: Mapping[str, str], common: Mapping[str, str]
) -> tuple[dict[str, str], tuple[ValueProblem, ...]]:
    """The values with which the procedure would run, and everything that is wrong with them.

    The values are the common ones and one for each declared variable: what was given, else the common
    value of that name, else its default, else empty. An empty text counts as not given. A variable
    with a problem has no value.
    """
    declared = {v.name: v for v in variables_of(runbook, procedure)}
    patterned = sum(bool(v.pattern) for v in declared.values())
    problems = [
        _foreign(name, value, runbook) for name, value in given.items() if name not in declared
    ]
    values = dict(common)
    for name, variable in declared.items():
        text = given.get(name) or common.get(name) or variable.default or ""
        try:
            values[name] = normalise(variable, text, patterned)
        except _BrokenRuleError as error:
            values.pop(name, None)
            problems.append(_problem(variable, text, error))
    return values, tuple(problems)


def why_not(variable: Variable, text: str) -> str:
    """Why this is no value for the variable, as a sentence; empty if it is one."""
    try:
        normalise(variable, text)
    except _BrokenRuleError as error:
        return _problem(variable, text, error).message
    return ""


def normalise(variable: Variable, text: str, among: int = 1) -> str:
    """The value as the steps get it; `among` so many with a pattern. Raises _BrokenRuleError."""
    if not text:
        if variable.required:
            raise _BrokenRuleError("required", "is required: give a value")
        return ""
    if len(text) > MAX_LENGTH:
        raise _BrokenRuleError("length", f"may have at most {MAX_LENGTH} characters")
    if not all(c.isprintable() for c in text):
        raise _BrokenRuleError("characters", "may not hold line breaks or control characters")
    value = _TYPES[variable.type](variable, text)
    if variable.pattern:
        _match(variable.pattern, value, among)
    return value


def _match(pattern: str, value: str, among: int) -> None:
    most = patterns.longest_value(pattern, MAX_LENGTH, among)
    if len(value) > most:
        raise _BrokenRuleError("length", f"may have at most {most} characters")
    if not patterns.fits(pattern, value):
        raise _BrokenRuleError("pattern", f"has to match {pattern}")


def _string(variable: Variable, text: str) -> str:
    if variable.minimum is not None and len(text) < variable.minimum:
        raise _BrokenRuleError("minimum", f"has to have at least {variable.minimum} characters")
    if variable.maximum is not None and len(text) > variable.maximum:
        raise _BrokenRuleError("maximum", f"may have at most {variable.maximum} characters")
    return text


def _integer(variable: Variable, text: str) -> str:
    if not _INTEGER.fullmatch(text.strip()):
        raise _BrokenRuleError("integer", "has to be a whole number")
    number = int(text)
    if variable.minimum is not None and number < variable.minimum:
        raise _BrokenRuleError("minimum", f"has to be at least {variable.minimum}")
    if variable.maximum is not None and number > variable.maximum:
        raise _BrokenRuleError("maximum", f"may be at most {variable.maximum}")
    return str(number)


def _boolean(_variable: Variable, text: str) -> str:
    if text.lower() not in ("true", "false"):
        raise _BrokenRuleError("boolean", "has to be true or false")
    return text.lower()


def _choice(variable: Variable, text: str) -> str:
    if text not in variable.choices:
        raise _BrokenRuleError("choice", f"has to be one of {', '.join(variable.choices)}")
    return text


def _path(_variable: Variable, text: str) -> str:
    if not text.startswith("/") or ".." in text.split("/"):
        raise _BrokenRuleError("path", "has to be a path that starts with / and has no .. in it")
    return text


def _url(_variable: Variable, text: str) -> str:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in text
        _ = parts.port  # raises for one that is no number
    except ValueError:
        valid = False
    if not valid:
        raise _BrokenRuleError("url", "has to be an address that starts with http:// or https://")
    return text


def _version(_variable: Variable, text: str) -> str:
    if not _VERSION.fullmatch(text):
        raise _BrokenRuleError("version", "has to be a version such as 1.4.0 or v2.0.0-rc.1")
    return text


_TYPES: dict[VariableType, Callable[[Variable, str], str]] = {
    VariableType.STRING: _string,
    VariableType.INTEGER: _integer,
    VariableType.BOOLEAN: _boolean,
    VariableType.CHOICE: _choice,
    VariableType.PATH: _path,
    VariableType.URL: _url,
    VariableType.VERSION: _version,
}


def _problem(variable: Variable, text: str, error: _BrokenRuleError) -> ValueProblem:
    shown = "" if variable.secret or not text else f"; {quote(text)} is not"
    if error.rule in ("length", "maximum", "characters", "required"):
        shown = "" if variable.secret or not text else f"; {quote(text)} was given"
    value = "" if variable.secret else text
    message = f"{variable.name} {error}{shown}."
    return ValueProblem(name=variable.name, rule=error.rule, value=value, message=message)


def _foreign(name: str, value: str, runbook: Runbook) -> ValueProblem:
    """A value for something that is no variable of the procedure; nothing tells that it is no secret."""
    known = next((v for v in runbook.variables if v.name == name), None)
    if known:
        rule, why = "procedure", f"is used only by {', '.join(known.procedures)}: leave it out"
    elif name in COMMON_VARIABLES:
        rule, why = "common", "comes from the environment's own settings: change it there"
    else:
        rule, why = "unknown", "is no variable of this runbook: leave it out"
    shown = "" if known and known.secret else value
    return ValueProblem(name=name, rule=rule, value=shown, message=f"{quote(name)} {why}.")
