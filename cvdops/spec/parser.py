"""Parses a runbook document. Pure, never raises, keeps line numbers; what it noticed is in the result."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cvdops.spec import (
    declared,
    outline,
    procedures,
    references,
    sections,
    steps,
    told,
    troubleshooting,
    variables,
)
from cvdops.spec import metadata as meta
from cvdops.spec.codes import Notes
from cvdops.spec.document import Runbook, Shell

MAX_BYTES = 1_000_000
MAX_LINES = 20_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\u2028\u2029\x85]")
_BREAK = re.compile(r"\r\n?|\n|\f")


@dataclass(frozen=True, slots=True)
class Anatomy:
    """The parts of a document, before the runbook is made of them."""

    lines: Sequence[str]
    taken: int  # how many of the lines are the front matter
    metadata: meta.Metadata
    items: Sequence[outline.Item]
    layout: sections.Layout
    placed: Sequence[steps.Placed]


def parse(source: bytes | str, name: str = "") -> Runbook:
    """The runbook in this document; `name` is that of its file. Line numbers count from 1."""
    notes = Notes()
    lines = read_lines(source, notes)
    if lines is None:
        return _empty(name, notes)
    return _assemble(dissect(lines, notes), name, notes)


def dissect(lines: Sequence[str], notes: Notes) -> Anatomy:
    metadata, taken = meta.read_front_matter(lines, notes)
    body = ["" if number < taken else line for number, line in enumerate(lines)]
    items = outline.read(body)
    told.complete(metadata, items, notes)
    forced = declared.headings(metadata)
    layout = sections.lay_out(items, forced, metadata.plain, notes)
    placed = steps.find(items, body, layout, notes)
    return Anatomy(body, taken, metadata, items, layout, placed)


def read_lines(source: bytes | str, notes: Notes) -> list[str] | None:
    """The lines without their ends; None if the document is larger than it may be."""
    size = len(source)
    if size <= MAX_BYTES:
        text = _BREAK.sub("\n", _decode(source, notes))
        lines = text.removesuffix("\n").split("\n")
        if len(lines) <= MAX_LINES:
            return lines
    limit = f"{MAX_BYTES // 1_000_000} MB and {MAX_LINES:,} lines"
    notes.add("RB001", 1, f"The file is too large: {limit} are the most.", "Split it into several.")
    return None


def _decode(source: bytes | str, notes: Notes) -> str:
    if isinstance(source, str):
        text = source.encode("utf-8", "replace").decode()  # lone surrogates
    else:
        text = source.decode("utf-8", "replace")
        if (bad := text.find("\ufffd")) >= 0 and "\ufffd".encode() not in source:
            line = text.count("\n", 0, bad) + 1
            notes.add("RB002", line, "The file is not UTF-8.", "Save it as UTF-8.")
    text = text.removeprefix("\ufeff")
    if control := _CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        notes.add("RB003", line, "The file holds control characters.", "Remove them.")
        text = _CONTROL.sub("\ufffd", text)
    return text


def _assemble(anatomy: Anatomy, name: str, notes: Notes) -> Runbook:
    items, layout, metadata = anatomy.items, anatomy.layout, anatomy.metadata
    title = _title(items, metadata, name, notes)
    declared = (
        ()
        if metadata.plain
        else variables.read(metadata.values.get("variables"), metadata.lines, notes)
    )
    found = procedures.find(items, anatomy.placed, layout, metadata, title, notes)
    all_steps = tuple(one.step for one in anatomy.placed)
    names = variables.names(metadata.values)
    references.check(all_steps, declared, names, found, notes)
    return Runbook(
        id=meta.identity(metadata, name, title),
        title=title,
        metadata=metadata.values,
        shell=meta.shell(metadata),
        sections=layout.sections,
        procedures=found,
        steps=all_steps,
        variables=declared,
        troubleshooting=troubleshooting.find(items, anatomy.lines, layout),
        diagnostics=notes.within(len(anatomy.lines)),
    )


def _title(items: Sequence[outline.Item], metadata: meta.Metadata, name: str, notes: Notes) -> str:
    heading = next((i for i in items if isinstance(i, outline.Heading) and i.level == 1), None)
    if heading and heading.text:
        return heading.text
    given = metadata.values.get("title")
    if isinstance(given, str) and given.strip():
        return given.strip()[:300]
    notes.add("RB005", 1, "The document has no title.", "Begin it with “# Title”.")
    return meta.identity(metadata, name)


def _empty(name: str, notes: Notes) -> Runbook:
    identity = meta.identity(meta.Metadata(), name)
    return Runbook(
        id=identity,
        title=identity,
        metadata={},
        shell=Shell.PASTE,
        sections=(),
        procedures=(),
        steps=(),
        variables=(),
        troubleshooting=(),
        diagnostics=notes.within(1),
    )
