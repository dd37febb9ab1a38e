"""The text of an `sql` block: its placeholders, and the commands of a client that it may not hold.

Read as both clients read it, as far as they agree; where they do not, the block is refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

PREFIX = "cvdops_"  # psql has variables of its own, and some of them change what it does
_TOKEN = re.compile(
    r"""
      (?P<skipped>--[^\n]*|/\*(?:[^*/]|\*(?!/)|/(?!\*))*\*/|\s+)
    | (?P<text>(?:[eE]'(?:[^'\\]|\\.|'')*+'|'(?:[^']|'')*+'))
    | (?P<dollars>\$(?P<tag>[A-Za-z_]\w*|)\$.*?\$(?P=tag)\$)
    | (?P<word>"(?:[^"]|"")*+"|[^\W\d][\w$]*+)
    | (?P<number>\d[\w.]*+)
    | (?P<cast>::|:=)
    | :(?P<name>[A-Za-z_]\w*)
    | (?P<operator>[<>=~!@#%^&|?]{2,})
    | (?P<wrong>:['"{]|\$[\w{$]|@[A-Za-z_]|\\|/\*|['"])
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_DOT = re.compile(r"^[ \t]*\.", re.MULTILINE)
# Functions that the shell of SQLite adds to the language: they run programs, or reach other files.
_FUNCTIONS = frozenset({"edit", "load_extension", "readfile", "writefile", "fts3_tokenizer"})
_WRONG = {
    "\\": "A backslash begins a command of psql, which is not SQL and can run programs.",
    "/*": "A comment is not closed, or has another one in it.",
    "'": "A text is not closed.",
    '"': "A name is not closed.",
}
_UNLIKE = "Write a variable as :NAME in SQL, without quotes: its value is always bound."


class StatementError(ValueError):
    """What is wrong with the statements, as a sentence, and in which of their lines (from 0)."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A `:NAME`, where it begins, and in which line (from 0)."""

    name: str
    start: int
    line: int


def check(body: str) -> None:
    """Raises StatementError for a block that holds something else than statements."""
    if dot := _DOT.search(body):
        message = "A line that begins with a dot is a command of sqlite3, which is not SQL."
        raise StatementError(message, _line(body, dot.end()))
    called = ""
    for token in _TOKEN.finditer(body):
        if wrong := token["wrong"]:
            raise StatementError(_WRONG.get(wrong, _UNLIKE), _line(body, token.start()))
        if token[0] == "(" and called in _FUNCTIONS:
            message = f"{called}() belongs to sqlite3 and not to the database: it can leave it."
            raise StatementError(message, _line(body, token.start()))
        if token["skipped"] is None:
            called = (token["word"] or "").strip('"').lower()


def placeholders(body: str) -> Iterator[Placeholder]:
    """In their order, each as often as it stands there; none after what is wrong."""
    line = 0
    for token in _TOKEN.finditer(body):
        if token["wrong"]:
            return
        if name := token["name"]:
            yield Placeholder(name, token.start(), line)
        line += token[0].count("\n")


def names(body: str) -> tuple[str, ...]:
    """The variables that the placeholders stand for, each once."""
    return tuple(dict.fromkeys(placeholder.name for placeholder in placeholders(body)))


def for_psql(body: str) -> str:
    """The same with the placeholders as psql quotes them; lines stay where they are."""
    parts, done = [], 0
    for found in placeholders(body):
        end = found.start + 1 + len(found.name)
        parts += [body[done : found.start], f":'{PREFIX}{found.name}'"]
        done = end
    return "".join((*parts, body[done:]))


def _line(body: str, at: int) -> int:
    return body.count("\n", 0, at)
