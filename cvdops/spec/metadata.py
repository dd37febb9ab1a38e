"""The metadata of a document, and what its front matter may say."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches

from cvdops.spec import backup, categories, frontmatter
from cvdops.spec.codes import Notes
from cvdops.spec.document import Shell
from cvdops.spec.names import WORD
from cvdops.spec.slugs import SLUG, quote, slug

KEYS = frozenset(
    [
        "format",
        "id",
        "title",
        "version",
        "category",
        "group",
        "purpose",
        "frequency",
        "when_to_use",
        "urgency",
        "complexity",
        "estimated_time",
        "owner",
        "approver",
        "author",
        "last_updated",
        "next_review",
        "tested",
        "backup",
        "tools",
        "access",
        "impact",
        "shell",
        "variables",
        "procedures",
        "locks",
        "tags",
        "description",
        "related",
        "audience",
    ]
)
_CHOICES: dict[str, tuple[str, ...]] = {
    "group": ("core", "emergency"),
    "complexity": ("low", "medium", "high"),
    "shell": tuple(Shell),
}
ONLY_IN_FRONT_MATTER = frozenset({"format", "shell", "variables", "procedures", "locks", "backup"})
INTERVALS = ("week", "month", "quarter", "half-year", "year")  # how often something is to be tested
_DATES = ("last_updated", "next_review")
_LISTS = ("tools", "access", "locks", "tags")
_TEXTS = [
    "title",
    "version",
    "purpose",
    "frequency",
    "when_to_use",
    "urgency",
    "estimated_time",
    "owner",
    "approver",
    "author",
    "impact",
]
_LOCKS = "a list of names of letters, digits, dots, hyphens and underscores"
_FENCES = "Let it begin on the first line of the file with ---, and close it with a line of ---."
_READABLE = "Write “key: value” on each line; put a text with : or # in it into quotation marks."
_REFUSED = "Write each value out where it belongs, once, without anchors, tags or deep nesting."


@dataclass(slots=True)
class Metadata:
    values: dict[str, object] = field(default_factory=dict)
    lines: dict[frontmatter.Path, int] = field(default_factory=dict)
    plain: bool = True  # there is no front matter

    def line(self, *path: str) -> int:
        """The line in the file of a key of the front matter."""
        return self.lines.get(path, -1) + 2


def read_front_matter(lines: Sequence[str], notes: Notes) -> tuple[Metadata, int]:
    """The metadata of the front matter, and how many lines it takes."""
    taken = frontmatter.split(list(lines))
    if not taken:
        if unread := frontmatter.unread(lines):
            notes.add("RB101", unread[0] + 1, unread[1], _FENCES)
        return Metadata(), 0
    try:
        document = frontmatter.load("\n".join(lines[1 : taken - 1]))
    except frontmatter.YamlError as error:
        code = "RB102" if error.refused else "RB101"
        hint = _REFUSED if error.refused else _READABLE
        notes.add(code, min(error.line + 2, taken), f"In the front matter: {error}", hint)
        return Metadata(plain=False), taken
    if document.value is not None and not isinstance(document.value, dict):
        notes.add("RB101", 2, "The front matter has to be lines of “key: value”.", _READABLE)
        return Metadata(plain=False), taken
    metadata = Metadata(dict(document.value or {}), document.lines, plain=False)
    _judge(metadata, notes)
    return metadata, taken


def _judge(metadata: Metadata, notes: Notes) -> None:
    for key, value in metadata.values.items():
        if key not in KEYS:
            message = f"The key {quote(key)} means nothing here."
            notes.add("RB103", metadata.line(key), message, _unknown(key))
        elif value is not None and (wanted := why_not(key, value)):
            message = f"{key}: {quote(value)} is wrong."
            notes.add("RB104", metadata.line(key), message, f"It has to be {wanted}.")
    identity = metadata.values.get("id")
    if identity is not None and not SLUG.fullmatch(str(identity)):
        notes.add(
            "RB105",
            metadata.line("id"),
            f"The id {quote(identity)} is wrong.",
            "It has to be lower-case letters, digits and hyphens, such as backup-restore.",
        )


def _unknown(key: str) -> str:
    near = get_close_matches(key, KEYS, 1)
    meant = f"Did you mean {near[0]}? " if near else ""
    return f"{meant}Remove it, or write one of: {', '.join(sorted(KEYS))}."


def why_not(key: str, value: object) -> str:
    """What the value of the key has to be, where it is something else."""
    if key == "format":
        return "" if value == 1 and not isinstance(value, bool) else "1, the only one there is"
    if key == "category":
        known = categories.named(value) or categories.by_words(value)
        return "" if known else f"one of {categories.NAMES}"
    if key == "tested":
        return _why_not_tested(value)
    if key == "backup":
        return backup.why_not(value)
    if key == "locks":
        return "" if all(map(_is_lock, _items(value))) else _LOCKS
    if key in _CHOICES:
        return "" if value in _CHOICES[key] else f"one of {', '.join(_CHOICES[key])}"
    if key in _DATES:
        return "" if as_date(value) else "a date such as 2026-11-01"
    if key in _LISTS:
        return "a list of words" if any(isinstance(i, dict | list) for i in _items(value)) else ""
    if key in _TEXTS:
        return "a text" if isinstance(value, dict | list) else ""
    return ""


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _is_lock(name: object) -> bool:
    return isinstance(name, str) and WORD.fullmatch(name) is not None


def _why_not_tested(value: object) -> str:
    """The environment is a name, and how often is one of the words."""
    known = isinstance(value, dict) and value.keys() <= {"environment", "every"}
    if not isinstance(value, dict) or not known:
        return "a mapping such as {environment: staging, every: quarter}"
    if not _is_lock(value.get("environment", "staging")):
        return "the name of an environment, such as {environment: staging, every: quarter}"
    if value.get("every", "year") not in INTERVALS:
        return (
            f"as often as {', '.join(INTERVALS)}, such as {{environment: staging, every: quarter}}"
        )
    return ""


def as_date(value: object) -> date | None:
    """The value as a date; None if it is none."""
    try:
        return date.fromisoformat(str(value).strip()[:10])
    except ValueError:
        return None


def critical(values: Mapping[str, object]) -> bool:
    """Whether it is for emergencies: nothing to begin with for somebody who is being trained."""
    urgency = str(values.get("urgency") or "").strip().lower()
    return values.get("group") == "emergency" or urgency == "critical"


def identity(metadata: Metadata, name: str, title: str = "") -> str:
    """The id that the front matter gives, else one made of the file's name, else of the title."""
    given = metadata.values.get("id")
    if not metadata.plain and isinstance(given, str | int) and SLUG.fullmatch(str(given)):
        return str(given)
    stem = re.split(r"[\\/]", name)[-1]
    return slug(re.sub(r"\.(md|markdown)$", "", stem, flags=re.IGNORECASE) or title, "runbook")


def shell(metadata: Metadata) -> Shell:
    """`strict` where there is front matter, `paste` for plain documents, unless `shell:` says otherwise."""
    given = metadata.values.get("shell")
    if not metadata.plain and isinstance(given, str) and given in tuple(Shell):
        return Shell(given)
    return Shell.PASTE if metadata.plain else Shell.STRICT
