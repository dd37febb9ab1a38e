"""The rules about values: they stay values, and never become part of a script, of SQL or of an address."""

import re
from collections.abc import Iterator, Mapping

from cvdops.spec import shell
from cvdops.spec.codes import diagnostic
from cvdops.spec.document import COMMON_VARIABLES, Diagnostic, Kind, Step, Variable, VariableType
from cvdops.spec.harmless import is_harmless
from cvdops.spec.rules.subject import Subject

_VARIABLE = re.compile(r"(?<!\\)\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*))")
# Inside [[ … ]] the shell makes no words, and ${NAME:+"…"} is how to leave a word out.
_NO_WORDS = re.compile(r"\[\[.*?(?:\]\]|$)|\$\{\w+:?\+[^}]{0,300}\}")
_SEGMENT = re.compile(r"\|\||&&|[;|&()`]")
_KEYWORD = re.compile(r"\s*(?:(?:if|then|else|elif|while|until|do|time|!|\{)\s+)*")
_NO_SPLITTING = re.compile(r"(?:for|select|case)\b|\(\(")
_ASSIGNS = re.compile(r"(?:export|readonly|local|declare|typeset)\b[ \t]*|-\w+\s+")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=\S*\s*")
_RUNS_TEXT = re.compile(
    r"(?:^|[\s/;&|(])(?:(?:ba|da|k|z)?sh|python3?|perl|ruby|node)(?:\s+-\w+)*\s+-\w*[ce]\s*"
    r'"(?:[^"\\$]|\\.|\$(?![A-Za-z_{]))*\$[A-Za-z_{]'
)
_SQL_CLIENTS = frozenset({"sqlite3", "psql", "mysql", "mariadb"})
_SQL = re.compile(
    r"^\s*\.\w|\b(?:select|insert|update|delete|create|drop|alter|pragma|attach|vacuum|where|values)\b",
    re.IGNORECASE,
)
_WEB_CLIENTS = frozenset({"curl", "wget", "http", "https"})


def unquoted(subject: Subject) -> Iterator[Diagnostic]:
    outside = _outside(subject)
    for step in subject.shell_steps:
        seen: set[str] = set()
        for name, number in _unquoted(subject.script(step)):
            if name not in seen:
                seen.add(name)
                yield _quote_it(name, name in outside, subject.line(step, number))


def _quote_it(name: str, outside: bool, line: int) -> Diagnostic:
    return diagnostic(
        "RB407" if outside else "RB408",
        line,
        f"${name} stands without quotes: a space or * in its value makes other words of it.",
        f'Write "${{{name}}}".',
    )


def _outside(subject: Subject) -> set[str]:
    """The variables whose values the document does not set itself."""
    runbook = subject.runbook
    captured = {s.attributes.capture for s in runbook.steps if s.attributes.capture}
    return {*COMMON_VARIABLES, *captured, *(v.name for v in runbook.variables)}


def _unquoted(script: shell.Script) -> Iterator[tuple[str, int]]:
    """The variables that the shell would split into words, with their lines."""
    for part in script.parts:
        skipping = continued = False
        for number, line in enumerate(part.lines, start=part.first):
            if "$" not in line and not line.endswith("\\"):
                continued = False
                continue
            for position, segment in enumerate(_SEGMENT.split(_NO_WORDS.sub("", line))):
                start = 0
                if not (continued and position == 0):
                    start = _end(_KEYWORD, segment, 0)
                    skipping = bool(_NO_SPLITTING.match(segment, start))
                    start = _after_assignments(segment, start)
                if not skipping:
                    names = (m[1] or m[2] for m in _VARIABLE.finditer(segment, start))
                    yield from ((n, number) for n in names if n != shell.SUBSTITUTION)
            continued = line.endswith("\\")


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start


def _after_assignments(segment: str, start: int) -> int:
    """Where the command begins, or the rest of what is declared."""
    at = _end(_ASSIGNS, segment, start)
    declares = at > start
    while True:
        end = _end(_ASSIGNMENT, segment, at)
        if end == at and declares:
            end = _end(_ASSIGNS, segment, at)
        if end == at:
            return at
        at = end


def text_as_code(subject: Subject) -> Iterator[Diagnostic]:
    evaluated = {(s.id, c.line) for s, c in subject.commands if c.name == "eval"}
    for step in subject.shell_steps:
        for number, line in enumerate(subject.script(step).code):
            if (step.id, number) in evaluated or (" -" in line and _RUNS_TEXT.search(line)):
                yield diagnostic(
                    "RB409",
                    subject.line(step, number),
                    "A value becomes part of a program: whoever gives it can run anything.",
                    "Hand it over as an argument or by its environment variable instead.",
                )


def value_in_sql(subject: Subject) -> Iterator[Diagnostic]:
    dangerous = _dangerous(subject, slashes=True)
    for step in subject.shell_steps:
        for text, number in _texts_for(subject, step, _SQL_CLIENTS):
            if _SQL.search(text) and (name := _first(text, dangerous)):
                yield _in_sql(name, subject.line(step, number))
        for number, text in _here_documents(subject, step):
            if name := _first(text, dangerous):
                yield _in_sql(name, subject.line(step, number))
    for step in subject.runbook.steps:
        if step.kind is Kind.SQL:
            for number, line in enumerate(step.body.split("\n")):
                if match := _VARIABLE.search(line):
                    yield _in_sql(match[1] or match[2], subject.line(step, number))


def _in_sql(name: str, line: int) -> Diagnostic:
    return diagnostic(
        "RB410",
        line,
        f"{name} becomes part of an SQL statement: a quotation mark in its value changes what it does.",
        "Bind it as a parameter, or give the variable a type or a pattern of plain characters.",
    )


def value_in_address(subject: Subject) -> Iterator[Diagnostic]:
    dangerous = _dangerous(subject, slashes=False)
    for step in subject.shell_steps:
        for text, number in _texts_for(subject, step, _WEB_CLIENTS):
            if (end := _base(text, dangerous)) and (name := _first(text[end:], dangerous)):
                yield diagnostic(
                    "RB411",
                    subject.line(step, number),
                    f"{name} becomes part of an address: a / ? or & in its value leads elsewhere.",
                    "Use curl --get --data-urlencode, or give the variable a pattern of plain characters.",
                )


def _base(text: str, variables: Mapping[str, Variable]) -> int:
    """Where the part of an address begins that a value may not change; 0 if it is no address."""
    if match := re.match(r"https?://", text):
        return match.end()
    match = _VARIABLE.match(text)
    if not match:
        return 0
    variable = variables.get(match[1] or match[2])
    is_address = variable is not None and variable.type is VariableType.URL
    end = match.end() + text[match.end() :].startswith("}")
    return end if is_address or text[end : end + 1] == "/" else 0


def _dangerous(subject: Subject, *, slashes: bool) -> dict[str, Variable]:
    """The declared and captured variables whose values may hold anything."""
    declared = subject.runbook.variables
    found = {v.name: v for v in declared if not is_harmless(v, slashes=slashes)}
    for step in subject.runbook.steps:
        if name := step.attributes.capture:
            found.setdefault(name, Variable(name=name))
    return found


def _first(text: str, names: Mapping[str, Variable]) -> str:
    return next((n for m in _VARIABLE.finditer(text) if (n := m[1] or m[2]) in names), "")


def _texts_for(subject: Subject, step: Step, clients: frozenset[str]) -> Iterator[tuple[str, int]]:
    """The texts in double quotes that one of these commands may get, with their lines."""
    texts = [text for text in subject.script(step).texts if "$" in text.text]
    lines = _lines_of(subject, step, clients) if texts else frozenset()
    for text in texts:
        if text.line in lines:
            yield text.text, text.line


def _here_documents(subject: Subject, step: Step) -> Iterator[tuple[int, str]]:
    script = subject.script(step)
    if script.code == script.expanded:
        return
    lines = _lines_of(subject, step, _SQL_CLIENTS)
    for number, (code, expanded) in enumerate(zip(script.code, script.expanded, strict=True)):
        if expanded and not code and number in lines:
            yield number, expanded


def _lines_of(subject: Subject, step: Step, clients: frozenset[str]) -> frozenset[int]:
    """The lines of the step's script from such a command to the next command."""
    lines: set[int] = set()
    starts: dict[int, bool] = {}
    for command in subject.commands_of(step):
        client = command.name.rsplit("/", 1)[-1] in clients
        starts[command.line] = starts.get(command.line, False) or client
    inside = False
    for number in range(len(subject.script(step).code)):
        inside = starts.get(number, inside)
        if inside:
            lines.add(number)
    return frozenset(lines)
