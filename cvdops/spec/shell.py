"""Reads shell scripts just well enough to warn about them: code without comments, commands, variables."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# Each alternative begins with a plain character: then the engine skips quickly what begins with none.
_SPECIAL = re.compile(
    r"""\\.|\$\{(?!\w+\})[^}\n]{0,300}\}|\$\(\(|\(\(|\$\(|<\(|>\(|=\(|\(|\)|'|"|\#""", re.DOTALL
)
_HEREDOC = re.compile(r"(?<!<)<<-?\s*(['\"]?)([A-Za-z_]\w*)\1")
_SPLIT = re.compile(r"\|\||&&|[;|&()`]")
_CASE_LABEL = re.compile(r"^[^()]*\)")
_FUNCTION = re.compile(
    r"^\s*(?:function\s+)?([A-Za-z_][\w-]*)\s*\(\)|^\s*function\s+([A-Za-z_][\w-]*)"
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=\S*")
_VARIABLE = re.compile(r"(?<!\\)\$(?:\{([A-Za-z_]\w*)([^}\n]{0,3})|([A-Za-z_]\w*))")
_WORD = re.compile(r"[A-Za-z0-9_./~$\"][^\s<>]*")
_ALONE = frozenset("()#'")
_DEEPEST = 50
_LONGEST_LINE = 8_000
SUBSTITUTION = "_"  # the variable that stands for a `$(…)` in the text around it
_BEFORE_COMMENT = frozenset(" \t\n;&|()")

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
class Part:
    """A piece of code that is a script of its own: the script itself, or the inside of `$(…)`."""

    lines: tuple[str, ...]  # without the contents of quotes
    first: int  # the line of the script, from 0, where it begins


@dataclass(frozen=True, slots=True)
class Text:
    """A text in double quotes, without the insides of the `$(…)` in it."""

    text: str
    line: int  # of the script, from 0, where it begins


@dataclass(frozen=True, slots=True)
class Script:
    """The lines of a script: `code` without comments, texts in single quotes and here-documents;
    `expanded` with those here-documents in which the shell replaces variables."""

    code: tuple[str, ...]
    expanded: tuple[str, ...]
    parts: tuple[Part, ...]
    texts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    words: tuple[str, ...]  # after the name
    line: int  # of the script, from 0
    wrappers: tuple[str, ...]


def cost(script: str) -> float:
    """What it costs to read: a quotation mark or bracket as much as twenty other characters, and a line
    that nobody would write more than there is."""
    if max(map(len, script.split("\n"))) > _LONGEST_LINE:
        return math.inf
    return len(script) + 20 * sum(script.count(mark) for mark in "(){'\"")


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
    scanner = _Scanner(outside)
    code = scanner.code.split("\n")
    expanded = tuple(lines[i] if bodies.get(i) else line for i, line in enumerate(code))
    return Script(tuple(code), expanded, tuple(scanner.parts), tuple(scanner.texts))


@dataclass(slots=True)
class _Frame:
    first: int
    counts: bool = True  # False: arithmetic or a list, where no word is a command
    string: bool = False
    depth: int = 0
    text: list[str] = field(default_factory=list)
    quoted: list[str] = field(default_factory=list)  # of the string that is open
    quoted_at: int = 0


class _Scanner:
    """Takes a script apart in one pass, with a stack for substitutions inside strings inside them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = 0
        self._code: list[str] = []
        self._stack = [_Frame(0)]
        self.parts: list[Part] = []
        self.texts: list[Text] = []
        at = 0
        for match in _SPECIAL.finditer(text):
            if match.start() >= at:
                self._plain(text[at : match.start()])
                at = self._special(match[0], match.start())
        self._plain(text[at:])
        while self._stack:
            self._close()
        self.code = "".join(self._code)

    def _plain(self, text: str) -> None:
        frame = self._stack[-1]
        lines = text.count("\n")
        self._line += lines
        self._code.append(text)
        frame.text.append("\n" * lines if frame.string else text)
        if frame.string:
            frame.quoted.append(text)

    def _special(self, mark: str, start: int) -> int:
        """Handles the mark and returns where to go on."""
        frame, end = self._stack[-1], start + len(mark)
        opens = mark[-1] == "(" and (mark[0] == "$" or not frame.string)
        if opens and mark != "(" and len(self._stack) < _DEEPEST:
            self._code.append(mark)
            frame.text.append(f"=${SUBSTITUTION}" if mark == "=(" else f"${SUBSTITUTION}")
            self._stack.append(
                _Frame(self._line, mark in ("$(", "<(", ">("), depth=mark.count("("))
            )
        elif mark == '"':
            self._quote(frame)
        elif frame.string or mark not in _ALONE:
            self._plain(mark)
        elif mark in "()":
            self._bracket(mark)
        else:
            return self._skip(mark, start)
        return end

    def _quote(self, frame: _Frame) -> None:
        if frame.string:
            self.texts.append(Text("".join(frame.quoted), frame.quoted_at))
            frame.quoted = []
        frame.string, frame.quoted_at = not frame.string, self._line
        self._code.append('"')
        frame.text.append('"')

    def _bracket(self, mark: str) -> None:
        frame = self._stack[-1]
        self._code.append(mark)
        frame.depth += 1 if mark == "(" else -1
        if frame.depth <= 0 and len(self._stack) > 1:
            self._close()
        else:
            frame.text.append(mark)

    def _skip(self, mark: str, start: int) -> int:
        """Leaves out a comment or a text in single quotes."""
        if mark == "#":
            if start and self._text[start - 1] not in _BEFORE_COMMENT:
                self._plain(mark)
                return start + 1
            end = self._text.find("\n", start)
            return len(self._text) if end < 0 else end
        end = self._text.find("'", start + 1)
        if end < 0:
            self._plain(mark)
            return start + 1
        self._plain("'" + "\n" * self._text.count("\n", start, end) + "'")
        return end + 1

    def _close(self) -> None:
        frame = self._stack.pop()
        if self._stack:
            self._stack[-1].text.append("\n" * (self._line - frame.first))
        if frame.counts:
            self.parts.append(Part(tuple("".join(frame.text).split("\n")), frame.first))


def variables(script: Script) -> Iterator[tuple[str, int]]:
    """The variables that must be set, with their lines; `${NAME:-default}` and the like need not be."""
    for number, line in enumerate(script.expanded):
        if "$" in line:
            for match in _VARIABLE.finditer(line):
                if not match[1] or not re.match(r":?[-=+?]", match[2]):
                    yield match[1] or match[3], number


def commands(script: Script) -> Iterator[Command]:
    """The commands that the script calls, without those that are functions of its own."""
    functions = {m[1] or m[2] for line in _definitions(script) if (m := _FUNCTION.match(line))}
    for part in script.parts:
        continued = False
        for number, line in enumerate(part.lines, start=part.first):
            segments = _SPLIT.split(_CASE_LABEL.sub("", line) if ")" in line else line)
            for segment in segments[1:] if continued else segments:
                command = _command(segment.split(), number)
                if command and command.name not in functions:
                    yield command
            continued = line.endswith("\\")


def _definitions(script: Script) -> Iterator[str]:
    """The lines that may define a function."""
    return (line for line in script.code if "()" in line or "function" in line)


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
