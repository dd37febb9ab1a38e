"""The metadata of a document: its front matter, else its *Metadata* list and its closing bold lines."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from cvdops.spec import frontmatter
from cvdops.spec.codes import Notes
from cvdops.spec.document import Category, Shell
from cvdops.spec.outline import Heading, Item, Paragraph, plain
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
    "category": tuple(Category),
    "group": ("core", "emergency"),
    "complexity": ("low", "medium", "high"),
    "shell": tuple(Shell),
}
ONLY_IN_FRONT_MATTER = frozenset({"format", "shell", "variables", "procedures", "locks"})
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
_BOLD = re.compile(r"\*\*([^*:\n]{1,60}?):?\*\*\s*:?\s*(\S[^\n]{0,400})")
_ALIASES = {"next_review_date": "next_review", "document_version": "version"}


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
        return Metadata(), 0
    try:
        document = frontmatter.load("\n".join(lines[1 : taken - 1]))
    except frontmatter.YamlError as error:
        code = "RB102" if error.refused else "RB101"
        notes.add(code, min(error.line + 2, taken), f"In the front matter: {error}")
        return Metadata(plain=False), taken
    if document.value is not None and not isinstance(document.value, dict):
        notes.add("RB101", 2, "The front matter has to be lines of “key: value”.")
        return Metadata(plain=False), taken
    metadata = Metadata(dict(document.value or {}), document.lines, plain=False)
    _judge(metadata, notes)
    return metadata, taken


def _judge(metadata: Metadata, notes: Notes) -> None:
    for key, value in metadata.values.items():
        if key not in KEYS:
            known = ", ".join(sorted(KEYS))
            notes.add(
                "RB103", metadata.line(key), f"The key {quote(key)} means nothing here.", known
            )
        elif value is not None and (wanted := why_not(key, value)):
            message = f"{key}: {quote(value)} is wrong; it has to be {wanted}."
            notes.add("RB104", metadata.line(key), message)
    identity = metadata.values.get("id")
    if identity is not None and not SLUG.fullmatch(str(identity)):
        notes.add(
            "RB105",
            metadata.line("id"),
            f"The id {quote(identity)} is wrong.",
            "It has to be lower-case letters, digits and hyphens, such as backup-restore.",
        )


def why_not(key: str, value: object) -> str:
    """What the value of the key has to be, where it is something else."""
    if key == "format":
        return "" if value == 1 and not isinstance(value, bool) else "1"
    if key in _CHOICES:
        return "" if value in _CHOICES[key] else f"one of {', '.join(_CHOICES[key])}"
    if key in _DATES:
        return "" if as_date(value) else "a date such as 2026-11-01"
    if key in _LISTS:
        items = value if isinstance(value, list) else [value]
        return "a list of words" if any(isinstance(i, dict | list) for i in items) else ""
    if key in _TEXTS:
        return "a text" if isinstance(value, dict | list) else ""
    return ""


def as_date(value: object) -> date | None:
    """The value as a date; None if it is none."""
    try:
        return date.fromisoformat(str(value).strip()[:10])
    except ValueError:
        return None


def complete(metadata: Metadata, items: Sequence[Item]) -> None:
    """Adds what a plain document says of itself in its text; the front matter wins."""
    for key, value in {**_closing(items), **_listed(items)}.items():
        if key not in ONLY_IN_FRONT_MATTER:
            metadata.values.setdefault(key, value)


def _listed(items: Sequence[Item]) -> dict[str, str]:
    """The bullets below a heading *Metadata*."""
    found: dict[str, str] = {}
    inside = False
    for item in items:
        if isinstance(item, Heading):
            inside = item.text.lower() in ("metadata", "document information", "document control")
        elif inside and isinstance(item, Paragraph):
            found |= _pairs(item.text)
    return found


def _closing(items: Sequence[Item]) -> dict[str, str]:
    """The bold lines with which the document ends."""
    found: dict[str, str] = {}
    for item in reversed(items):
        if not isinstance(item, Paragraph) or not (pairs := _pairs(item.text)):
            break
        found = pairs | found
    return {key: value for key, value in found.items() if key in KEYS}


def _pairs(text: str) -> dict[str, str]:
    matches = (_BOLD.fullmatch(line.strip().rstrip("\\").strip()) for line in text.split("\n")[:50])
    pairs = ((slug(m[1], "").replace("-", "_"), plain(m[2])) for m in matches if m)
    return {_ALIASES.get(key, key): value for key, value in pairs if key}


def identity(metadata: Metadata, name: str) -> str:
    """The id that the front matter gives, else one made of the file's name."""
    given = metadata.values.get("id")
    if not metadata.plain and isinstance(given, str | int) and SLUG.fullmatch(str(given)):
        return str(given)
    stem = re.split(r"[\\/]", name)[-1]
    return slug(re.sub(r"\.(md|markdown)$", "", stem, flags=re.IGNORECASE), "runbook")


def shell(metadata: Metadata) -> Shell:
    """`strict` where there is front matter, `paste` for plain documents, unless `shell:` says otherwise."""
    given = metadata.values.get("shell")
    if not metadata.plain and isinstance(given, str) and given in tuple(Shell):
        return Shell(given)
    return Shell.PASTE if metadata.plain else Shell.STRICT
