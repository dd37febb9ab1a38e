"""What a document says of itself in its text: its *Metadata* list and its closing bold lines."""

import re
from collections.abc import Iterator, Sequence

from cvdops.spec import categories
from cvdops.spec.codes import Notes
from cvdops.spec.metadata import KEYS, ONLY_IN_FRONT_MATTER, Metadata
from cvdops.spec.outline import Heading, Item, Paragraph, plain
from cvdops.spec.slugs import quote, slug

_HEADINGS = ("metadata", "document information", "document control")
_BOLD = re.compile(r"(\*\*|__)([^*:_\n]{1,60}?):?\1\s*:?\s*(\S[^\n]{0,400})")
_UNMARKED = re.compile(r"(?:\*\*|__|[*_`])?([A-Za-z][A-Za-z ]{1,30}?)(?:\*\*|__|[*_`])?\s*:\s+\S.*")
_ALIASES = {"next_review_date": "next_review", "document_version": "version"}
_MOST = 50  # lines of a paragraph, and findings, that are looked at

Pair = tuple[str, str, int]  # key, value, line


def complete(metadata: Metadata, items: Sequence[Item], notes: Notes) -> None:
    """Adds what the text says; the front matter wins. What only looks like it becomes a diagnostic."""
    pairs = {key: (value, line) for key, value, line in (*_closing(items), *_listed(items))}
    for key, (value, line) in pairs.items():
        if key not in ONLY_IN_FRONT_MATTER and key not in metadata.values:
            metadata.values[key] = value
            metadata.lines[(key,)] = line - 2
            if key == "category":
                _judge_category(value, line, notes)
    _passed_over(metadata, items, notes)
    _settle_category(metadata, notes)


def _judge_category(value: str, line: int, notes: Notes) -> None:
    if not (categories.named(value) or categories.by_words(value)):
        message = f"The category {quote(value)} is none that the portal knows."
        notes.add("RB109", line, message, f"Name one of: {categories.NAMES}.")


def _settle_category(metadata: Metadata, notes: Notes) -> None:
    """One spelling for all that read it afterwards."""
    value = metadata.values.get("category")
    if exact := categories.named(value):
        metadata.values["category"] = exact.value
    elif found := categories.by_words(value):
        metadata.values["category"] = found.value
        message = f"The category {quote(value)} is read as {found}."
        hint = f"It decides who may see and start the runbook: write one of {categories.NAMES}."
        notes.add("RB110", metadata.line("category"), message, hint)


def _listed(items: Sequence[Item]) -> Iterator[Pair]:
    """The bullets below a heading *Metadata*."""
    for item in _below_metadata(items):
        yield from _pairs(item)


def _below_metadata(items: Sequence[Item]) -> Iterator[Paragraph]:
    inside = False
    for item in items:
        if isinstance(item, Heading):
            inside = item.text.lower() in _HEADINGS
        elif inside and isinstance(item, Paragraph):
            yield item


def _closing(items: Sequence[Item]) -> list[Pair]:
    """The bold lines with which the document ends."""
    found: list[Pair] = []
    for item in reversed(items):
        if not isinstance(item, Paragraph) or not (pairs := list(_pairs(item))):
            break
        found = [*pairs, *found]
    return [pair for pair in found if pair[0] in KEYS]


def _pairs(paragraph: Paragraph) -> Iterator[Pair]:
    for number, line in _lines(paragraph):
        if (match := _BOLD.fullmatch(line)) and (key := _key(match[2])):
            yield key, plain(match[3]), number


def _lines(paragraph: Paragraph) -> Iterator[tuple[int, str]]:
    lines = paragraph.text.split("\n")[:_MOST]
    return (
        (number, line.strip().rstrip("\\").strip())
        for number, line in enumerate(lines, start=paragraph.line)
    )


def _key(label: str) -> str:
    key = slug(label, "").replace("-", "_")
    return _ALIASES.get(key, key)


def _passed_over(metadata: Metadata, items: Sequence[Item], notes: Notes) -> None:
    """Lines that name a key of the metadata where it is not read, or without being bold."""
    said: set[str] = set()
    for paragraph in (*_below_title(items), *_below_metadata(items)):
        for number, line in _lines(paragraph):
            match = _BOLD.fullmatch(line)
            label = match[2] if match else (m[1] if (m := _UNMARKED.fullmatch(line)) else "")
            key = _key(label)
            if key in KEYS - ONLY_IN_FRONT_MATTER - metadata.values.keys() - said:
                said.add(key)
                message = f"{quote(label)} looks like metadata and is not read here."
                hint = (
                    f"Write it as “- **{label}**: …” below a heading Metadata, or as {key}: in the"
                    " front matter."
                )
                notes.add("RB108", number, message, hint)


def _below_title(items: Sequence[Item]) -> Iterator[Paragraph]:
    """What stands between the title and the first other heading, block or checklist."""
    started = False
    for item in items:
        if isinstance(item, Heading):
            if started or item.level > 1:
                return
            started = True
        elif not isinstance(item, Paragraph):
            return
        elif started:
            yield item
