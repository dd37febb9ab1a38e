"""Writes the front matter of a document: what it says of itself, and what can be known of it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from cvdops.spec import categories, frontmatter
from cvdops.spec.codes import Notes
from cvdops.spec.document import Procedure, Runbook, SectionKind
from cvdops.spec.metadata import KEYS, ONLY_IN_FRONT_MATTER, read_front_matter, why_not
from cvdops.spec.names import why_not_variable
from cvdops.spec.parser import Anatomy
from cvdops.spec.rules.commands import undeclared
from cvdops.spec.rules.subject import Subject
from cvdops.spec.rules.variables import uses_of_unset
from cvdops.spec.tree import Node, tree, walk

_FIRST = ("version", "category", "group", "purpose", "frequency", "when_to_use", "urgency")
_THEN = (
    "complexity",
    "estimated_time",
    "owner",
    "approver",
    "author",
    "last_updated",
    "next_review",
)
_HINTS = {
    "category": f"one of {categories.NAMES}",
    "owner": "the team that keeps it right",
    "approver": "who approves changes of it",
    "last_updated": "a date such as 2026-11-01",
    "impact": "what it does to those who use the system, for example: No downtime.",
}
_PLAIN = re.compile(r"[A-Za-z0-9][\w.+/-]*(?: [\w.+/-]+)*")
_NOT_PLAIN = re.compile(r"(?i:true|false|null|yes|no|on|off|y|n)|[-+]?\d+")


Held = Mapping[int, frozenset[str]]  # the steps below each node, by its identity


def write(runbook: Runbook, anatomy: Anatomy, present: Sequence[str]) -> list[str]:
    """The lines of the front matter, both fences included; `present` are those it has now."""
    if not present:
        return ["---", *_new(runbook, anatomy), "---", *([""] if _begins(anatomy) else [])]
    more = list(_missing(runbook, anatomy))
    widened = [*present[:-1], *more, present[-1]]
    notes = Notes()
    read, _ = read_front_matter(widened, notes)
    unreadable = any(d.code in ("RB101", "RB102") for d in notes.within(len(widened)))
    # behind braces, which end the YAML, nothing that is added belongs to it
    keys = {line.partition(":")[0] for line in more if not line.startswith(" ")}
    return widened if keys <= read.values.keys() and not unreadable else list(present)


def _begins(anatomy: Anatomy) -> bool:
    return bool(anatomy.lines and anatomy.lines[0].strip())


def _missing(runbook: Runbook, anatomy: Anatomy) -> Iterator[str]:
    """The keys that can be known and are not there."""
    values = anatomy.metadata.values
    if "id" not in values:
        yield f"id: {scalar(runbook.id)}"
    if "procedures" not in values:
        yield from _procedures(runbook, anatomy)


def _new(runbook: Runbook, anatomy: Anatomy) -> Iterator[str]:
    subject = Subject(runbook, anatomy.lines, date.min)
    yield "format: 1"
    yield f"id: {scalar(runbook.id)}"
    rest = sorted(KEYS - ONLY_IN_FRONT_MATTER - {*_FIRST, *_THEN, "id", "title", "tools"})
    for key in (*_FIRST, *_THEN, *rest):
        yield from _said(key, runbook)
    if tools := sorted({command.name for _, command in undeclared(subject)}):
        yield f"tools: [{', '.join(map(scalar, tools))}]"
    yield "shell: paste"
    names = dict.fromkeys(name for _, name, _ in uses_of_unset(subject))
    if wanted := [name for name in names if not why_not_variable(name)]:
        yield "variables:"
        yield from (f"  {name}: {{required: true}}" for name in wanted)
    yield from _procedures(runbook, anatomy)


def _said(key: str, runbook: Runbook) -> Iterator[str]:
    """What the document says of itself, where it can be read; else what is wanted there, as a comment."""
    value = runbook.metadata.get(key)
    text = value if isinstance(value, str) and not value.endswith("…") else ""  # cut short
    for candidate in (text, text.lower()):
        if candidate and not why_not(key, candidate):
            yield f"{key}: {scalar(candidate)}"
            return
    if key == "category" and (guess := categories.by_words(runbook.title)):
        yield f"category: {guess} # by the words of the title"
    elif key in _HINTS:
        yield f"# {key}: {_HINTS[key]}"


def _procedures(runbook: Runbook, anatomy: Anatomy) -> Iterator[str]:
    """The procedures that were read from the shape; headings with {.procedure} need no more words."""
    marked = any("procedure" in getattr(item, "classes", ()) for item in anatomy.items)
    if marked or not runbook.procedures:
        return
    root = tree(anatomy.items, anatomy.placed)
    held = {id(node): frozenset(node.steps()) for node in walk(root)}
    lines = [line for p in runbook.procedures for line in _procedure(p, root, held, anatomy)]
    if sum(map(len, lines)) < frontmatter.MAX_BYTES // 2:  # else they are found by the shape again
        yield "procedures:"
        yield from lines


def _procedure(procedure: Procedure, root: Node, held: Held, anatomy: Anatomy) -> Iterator[str]:
    names, exact = _headings(root, frozenset(procedure.steps), held, anatomy)
    yield f"  {procedure.key}:"
    yield f"    title: {scalar(procedure.title)}"
    yield f"    sections: [{', '.join(map(scalar, names))}]"
    if not exact:
        yield f"    steps: [{', '.join(map(scalar, procedure.steps))}]"


def _headings(
    node: Node, steps: frozenset[str], held: Held, anatomy: Anatomy
) -> tuple[list[str], bool]:
    """The outermost headings that hold the steps, and whether they hold no others."""
    heading = node.heading
    in_procedures = heading and anatomy.layout.kind(heading) is SectionKind.PROCEDURES
    if heading and in_procedures and held[id(node)] and held[id(node)] <= steps:
        return [heading.slug], True
    with_some = (c for c in node.children if not steps.isdisjoint(held[id(c)]))
    below = [_headings(child, steps, held, anatomy) for child in with_some]
    names, exact = [n for found, _ in below for n in found], all(same for _, same in below)
    if heading and in_procedures and steps.intersection(node.own):
        return [heading.slug, *names], False
    return names, exact


def scalar(text: str) -> str:
    """The text as a YAML value on one line, as it stands where that is safe."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if _PLAIN.fullmatch(text) and not _NOT_PLAIN.fullmatch(text):
        return text
    return json.dumps(text, ensure_ascii=False)
