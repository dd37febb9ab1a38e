"""YAML as runbooks may use it: no aliases, tags or duplicate keys, bounded, and nothing guessed.

Only booleans (`true`, `false`), `null` and integers get a type; dates, versions and everything else stay
the text that the author wrote.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where PyYAML was built with it
MAX_BYTES = 64 * 1024
_MAX_DEPTH = 20
_TOO_DEEP = "The YAML is nested too deeply."
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_CONSTANTS = {"true": True, "false": False, "null": None, "~": None, "": None}
_CONSTANTS |= {k.capitalize(): v for k, v in _CONSTANTS.items()}
_CONSTANTS |= {k.upper(): v for k, v in _CONSTANTS.items()}
_KEY = re.compile(r"[A-Za-z_][\w-]*[ \t]*:(?:\s|$)")
_LATEST = 50  # lines that may be blank before it
_END = re.compile(r"(---|\.\.\.)[ \t]*")

Path = tuple[str, ...]


class YamlError(ValueError):
    """What is wrong with the YAML, as a sentence, and in which of its lines (from 0)."""

    def __init__(self, message: str, line: int, *, refused: bool = False) -> None:
        super().__init__(message)
        self.line = line
        self.refused = refused


@dataclass(slots=True)
class Document:
    """The value, and the line (from 0) of each key and list item by its path."""

    value: object = None
    lines: dict[Path, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end was not read yet."""

    value: dict[str, object] | list[object]
    path: Path
    key: str | None = None


def unread(lines: Sequence[str]) -> tuple[int, str] | None:
    """Where (from 0) lines that look like front matter begin and are none, and why; None if none do."""
    first = next((n for n, line in enumerate(lines[:_LATEST]) if line.strip()), 0)
    begins = any(line.rstrip() == "---" for line in lines[first : first + 1])
    if not begins or not any(_KEY.match(line) for line in lines[first + 1 : first + 2]):
        return None
    if first == 0:
        return first, "The front matter is never closed, so nothing of it was read."
    return first, "The front matter does not begin on the first line, so nothing of it was read."


def split(lines: list[str]) -> int:
    """How many lines the front matter takes, its two fences included; 0 if there is none."""
    if not lines or lines[0].rstrip() != "---":
        return 0
    for number, line in enumerate(lines[1:], start=2):
        if _END.fullmatch(line):
            return number
    return 0


def load(text: str) -> Document:
    """The first YAML document in the text. Raises YamlError and nothing else."""
    if len(text.encode()) > MAX_BYTES:
        raise YamlError("The YAML is larger than 64 kB.", 0, refused=True)
    try:
        return _build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "it is not valid"
        if "nesting depth" in problem:  # libyaml looks ahead, and has a limit of its own
            raise YamlError(_TOO_DEEP, mark.line if mark else 0, refused=True) from None
        raise YamlError(f"The YAML cannot be read: {problem}.", mark.line if mark else 0) from None
    except yaml.YAMLError:
        raise YamlError("The YAML holds a character that YAML does not allow.", 0) from None


def _build(events: Iterator[yaml.Event]) -> Document:
    document = Document()
    stack: list[_Open] = []
    for event in events:
        if isinstance(event, yaml.DocumentEndEvent):
            break  # a second document is no part of a runbook
        if isinstance(event, yaml.NodeEvent):
            _refuse(event)
        if isinstance(event, yaml.ScalarEvent):
            _put(document, stack, event, _scalar(event))
        elif isinstance(event, yaml.CollectionStartEvent):
            value: dict[str, object] | list[object] = (
                {} if isinstance(event, yaml.MappingStartEvent) else []
            )
            path = _put(document, stack, event, value)
            stack.append(_Open(value, path))
            if len(stack) > _MAX_DEPTH:
                raise YamlError(_TOO_DEEP, _line(event), refused=True)
        elif isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
    return document


def _put(document: Document, stack: list[_Open], event: yaml.Event, value: object) -> Path:
    """Puts the value where it belongs and returns its path; a mapping's key only waits for its value."""
    if not stack:
        document.value = value
        return ()
    top = stack[-1]
    if isinstance(top.value, list):
        path = (*top.path, str(len(top.value)))
        top.value.append(value)
    elif top.key is None:
        top.key = _key(top.value, event)
        path = (*top.path, top.key)
    else:
        top.value[top.key] = value
        path, top.key = (*top.path, top.key), None
        return path  # its key's line is known already
    document.lines[path] = _line(event)
    return path


def _key(mapping: dict[str, object], event: yaml.Event) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        raise YamlError("A key must be a word, not a list or mapping.", _line(event), refused=True)
    if event.value in mapping:
        raise YamlError(f"The key {event.value!r:.60} is there twice.", _line(event), refused=True)
    return str(event.value)


def _refuse(event: yaml.NodeEvent) -> None:
    if event.anchor:  # of an alias too
        raise YamlError("Anchors and aliases (& and *) are refused.", _line(event), refused=True)
    if getattr(event, "tag", None):
        raise YamlError("Tags (!…) are refused.", _line(event), refused=True)


def _scalar(event: yaml.ScalarEvent) -> object:
    text = str(event.value)
    if not event.implicit[0]:  # quoted: the author wants text
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    return int(text) if _INTEGER.fullmatch(text) else text


def _line(event: yaml.Event) -> int:
    return event.start_mark.line if event.start_mark else 0
