"""Reads shell scripts just well enough to warn about them: code without comments, commands, variables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_QUOTED = re.compile(r"""\\.|'[^']*'|"(?:[^"\\]|\\.)*"|(?<![^\s;&|()])\#[^\n]*""", re.DOTALL)
_HEREDOC = re.compile(r"(?<!<)<<-?\s*(['\"]?)([A-Za-z_]\w*)\1")
_SPLIT = re.compile(r"\|\||&&|\$\(|[;|&(){}`]")
_CASE_LABEL = re.compile(r"^\s*[\w.*|\"$ -]+\)(?!\))")
_FUNCTION = re.compile(
    r"^\s*(?:function\s+)?([A-Za-z_][\w-]*)\s*\(\)|^\s*function\s+([A-Za-z_][\w-]*)"
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=\S*")
_VARIABLE = re.compile(r"(?<!\\)\$(?:\{([A-Za-z_]\w*)([^}\n]{0,3})|([A-Za-z_]\w*))")
_WORD = re.compile(r"[A-Za-z0-9_./~$\"{][^\s<>]*")

KEYWORDS = frozenset(
    {
        "if",
        "then",
        "else",
        "elif",
        "while",
        "until",
        "do",
        "!",
        "time",
        "{",
        "fi",
        "done",
        "esac",
        "in",
    }
)
_WHOLE = frozenset(
    {"for", "case", "select", "function", "[[", "((", "[", "test"}
)  # no command follows
_WRAPPERS = frozenset(
    {"sudo", "env", "nohup", "timeout", "exec", "command", "nice", "xargs", "ionice"}
)
_TAKES_VALUE = frozenset({"-u", "-g", "-n", "-c", "-k", "-s", "-I", "-P", "-L", "-C", "-p"})


@dataclass(frozen=True, slots=True)
class Script:
    """The lines of a script: `code` without comments, texts in single quotes and here-documents;
    `expanded` with those here-documents in which the shell replaces variables."""

    code: tuple[str, ...]
    expanded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    words: tuple[str, ...]  # after the name
    line: int  # of the script, from 0
    wrappers: tuple[str, ...]


def read(script: str) -> Script:
    lines = script.split("\n")
    bodies: dict[int, bool] = {}  # line of a here-document -> whether variables are replaced in it
    waiting: list[tuple[str, bool]] = []
    for number, line in enumerate(lines):
        if waiting:
            delimiter, replaced = waiting[0]
            bodies[number] = replaced and line.strip() != delimiter
            if line.strip() == delimiter:
                waiting.pop(0)
        elif "<<" in line:
            waiting = [(m[2], not m[1]) for m in _HEREDOC.finditer(line)]
    outside = "\n".join("" if i in bodies else line for i, line in enumerate(lines))
    code = _QUOTED.sub(_shorten, outside).split("\n")
    expanded = tuple(lines[i] if bodies.get(i) else line for i, line in enumerate(code))
    return Script(tuple(code), expanded)


def _shorten(match: re.Match[str]) -> str:
    """Nothing instead of a comment or a text in single quotes; every line stays on its line."""
    text = match[0]
    if text.startswith("'"):
        return "'" + "\n" * text.count("\n") + "'"
    return "" if text.startswith("#") else text


def variables(script: Script) -> Iterator[tuple[str, int]]:
    """The variables that must be set, with their lines; `${NAME:-default}` and the like need not be."""
    for number, line in enumerate(script.expanded):
        if "$" in line:
            for match in _VARIABLE.finditer(line):
                if not match[1] or not re.match(r":?[-=+?]", match[2]):
                    yield match[1] or match[3], number


def commands(script: Script) -> Iterator[Command]:
    """The commands that the script calls, without those that are functions of its own."""
    functions = {m[1] or m[2] for line in script.code if (m := _FUNCTION.match(line))}
    continued = False
    for number, line in enumerate(_without_strings(script)):
        text = _CASE_LABEL.sub("", line) if "(" not in line else line
        first = True
        for part in _SPLIT.split(text):
            skip, first = first and continued, False
            command = None if skip else _command(part.split(), number)
            if command and command.name not in functions:
                yield command
        continued = line.rstrip().endswith("\\")


def _without_strings(script: Script) -> list[str]:
    def blank(match: re.Match[str]) -> str:
        text = match[0]
        if not text.startswith('"') or "$(" in text or "`" in text:
            return text
        return '"' + "\n" * text.count("\n") + '"'

    return _QUOTED.sub(blank, "\n".join(script.code)).split("\n")


def _command(words: list[str], line: int) -> Command | None:
    wrappers: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        if word in _WHOLE:
            return None
        name = word.rsplit("/", 1)[-1]
        if name in _WRAPPERS and at + 1 < len(words):
            wrappers.append(name)
            at = _after_options(words, at + 1, name)
        elif word in KEYWORDS or _ASSIGNMENT.fullmatch(word):
            at += 1
        elif _WORD.fullmatch(word):
            return Command(word, tuple(words[at + 1 :]), line, tuple(wrappers))
        else:
            return None
    return None


def _after_options(words: list[str], at: int, wrapper: str) -> int:
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in _TAKES_VALUE else 1
    return at + 1 if wrapper == "timeout" else at
