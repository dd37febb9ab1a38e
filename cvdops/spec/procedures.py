"""Finds the procedures: declared in the front matter, marked on a heading, or read from the shape."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from cvdops.spec import declared
from cvdops.spec.codes import Notes
from cvdops.spec.document import Procedure, SectionKind
from cvdops.spec.metadata import Metadata
from cvdops.spec.outline import Item
from cvdops.spec.sections import Layout
from cvdops.spec.slugs import Names, quote, slug
from cvdops.spec.steps import Placed
from cvdops.spec.tree import Node, tree, walk

_SEQUENCE = re.compile(
    r"\s*(?:(?:phase|step|stage|part)\b|\d+(?:\.\d+)*(?:[.):]|\s)|[ivx]+[.)]\s)", re.IGNORECASE
)
_DEEPEST_CHOICE = 4  # a heading below this level is never a procedure of its own
_MOST_STEPS = 20_000  # with those of Preparation and Verification, for each procedure again


def find(
    items: Sequence[Item],
    placed: Sequence[Placed],
    layout: Layout,
    metadata: Metadata,
    title: str,
    notes: Notes,
) -> tuple[Procedure, ...]:
    """The procedures in the order in which they are declared or stand in the document."""
    root = tree(items, placed)
    if "procedures" in metadata.values:
        declared.judge_form(metadata, notes)
        all_of_them = declared.read(root, placed, layout, metadata, notes)
    else:
        all_of_them = iter(list(_marked(root)) or _inferred(root, layout, title, notes))
    found = list(_bounded(all_of_them, placed))
    if next(all_of_them, None):
        message = f"The procedures have more than {_MOST_STEPS:,} steps in all."
        hint = "Name those of Preparation and Verification that each needs, or split the document."
        notes.add("RB311", 1, message, hint)
    else:
        _explain(found, placed, metadata, notes)
    return tuple(found)


def _bounded(found: Iterable[Procedure], placed: Sequence[Placed]) -> Iterator[Procedure]:
    """The procedures until they have more steps in all than anybody writes."""
    sections = Counter(one.step.section for one in placed)
    total = 0
    for p in found:
        before = sections[SectionKind.PREPARATION] if p.preparation is None else len(p.preparation)
        after = (
            sections[SectionKind.VERIFICATION] if p.verification is None else len(p.verification)
        )
        total += before + len(p.steps) + after
        yield p
        if total > _MOST_STEPS:
            return


# Marked with {.procedure}


def _marked(root: Node) -> Iterator[Procedure]:
    taken = Names()
    for node in walk(root):
        if node.heading and "procedure" in node.heading.classes:
            yield _procedure(node, node.steps(), taken)


# Read from the shape of the document


def _inferred(root: Node, layout: Layout, title: str, notes: Notes) -> Iterator[Procedure]:
    tops = [n for n in _tops(root, layout) if n.steps()]
    taken = Names()
    if len(tops) > 1 and _reads_as_sequence(tops):
        steps = tuple(step for node in tops for step in node.steps())
        found = [Procedure(key=slug(title, "procedure"), title=title, steps=steps)]
    else:
        found = _apart([choice for node in tops for choice in _choices(node, "", taken)])
    if len(tops) > 1 or any(child.steps() for node in tops for child in node.children):
        first = tops[0].heading.line if tops[0].heading else 1
        notes.add(
            "RB305",
            first,
            f"Read from the headings: {_count(len(found))} ({', '.join(p.key for p in found)[:300]}).",
            "Say it yourself with procedures: in the front matter or {.procedure} on a heading.",
        )
    yield from found


def _count(number: int) -> str:
    return "one procedure" if number == 1 else f"{number} separate procedures"


def _tops(root: Node, layout: Layout) -> Iterator[Node]:
    """The outermost headings that lie in Procedures."""
    for node in root.children:
        if node.heading and layout.kinds[node.heading.slug] is SectionKind.PROCEDURES:
            yield from ([node] if node.heading.level > 1 else _split(node))
        else:
            yield from _tops(node, layout)


def _split(title: Node) -> Iterator[Node]:
    """A document whose steps stand right below its title: those are one part, each H2 is another."""
    yield Node(title.heading, title.own)
    yield from title.children


def _apart(choices: Sequence[tuple[Procedure, str]]) -> list[Procedure]:
    """The procedures; where two have the same title, with that of the heading around them before it."""
    titles = Counter(procedure.title for procedure, _ in choices)
    return [
        replace(p, title=f"{around}: {p.title}") if around and titles[p.title] > 1 else p
        for p, around in choices
    ]


def _choices(node: Node, around: str, taken: Names) -> Iterator[tuple[Procedure, str]]:
    """Each procedure with the title of the heading around it."""
    children = [child for child in node.children if child.steps()]
    deep = node.heading is not None and node.heading.level >= _DEEPEST_CHOICE
    if not children or deep or _reads_as_sequence(children):
        if steps := node.steps():
            yield _procedure(node, steps, taken), around
        return
    if node.own:
        yield _procedure(node, node.own, taken), around
    for child in children:
        yield from _choices(child, node.heading.text if node.heading else "", taken)


def _reads_as_sequence(nodes: Sequence[Node]) -> bool:
    numbered = sum(bool(n.heading and _SEQUENCE.match(n.heading.text)) for n in nodes)
    return 2 * numbered > len(nodes)


def _procedure(node: Node, steps: Sequence[str], taken: Names) -> Procedure:
    name = node.heading.slug if node.heading else "procedure"
    title = node.heading.text if node.heading else "Procedure"
    return Procedure(key=taken.unique(name), title=title, steps=tuple(steps))


def _explain(
    found: Sequence[Procedure], placed: Sequence[Placed], metadata: Metadata, notes: Notes
) -> None:
    used = {step for procedure in found for step in procedure.steps}
    for procedure in found:
        if not procedure.steps:
            line = metadata.line("procedures", procedure.key)
            message = f"The procedure {quote(procedure.key)} has no steps."
            hint = "Put a block that runs below its heading, or name other headings in sections:."
            notes.add("RB309", line, message, hint)
    for one in placed:
        if one.step.section is SectionKind.PROCEDURES and one.step.id not in used:
            message = f"The step {quote(one.step.id)} belongs to no procedure, so it never runs."
            notes.add("RB306", one.step.line, message, "Name its heading in procedures:.")
    if not found:
        notes.add(
            "RB307",
            1,
            "The document has no procedure, so nothing of it can be run.",
            "Put commands into ```bash blocks below a heading Procedures.",
        )
