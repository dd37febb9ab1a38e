"""Finds the procedures: declared in the front matter, marked on a heading, or read from the shape."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from cvdops.spec.codes import Notes
from cvdops.spec.document import Procedure, SectionKind
from cvdops.spec.metadata import Metadata
from cvdops.spec.outline import Heading, Item
from cvdops.spec.sections import Layout
from cvdops.spec.slugs import SLUG, Names, quote, slug
from cvdops.spec.steps import Placed

_SEQUENCE = re.compile(
    r"\s*(?:(?:phase|step|stage|part)\b|\d+(?:\.\d+)*(?:[.):]|\s)|[ivx]+[.)]\s)", re.IGNORECASE
)
_DEEPEST_CHOICE = 4  # a heading below this level is never a procedure of its own
_NOT_STEPS = (SectionKind.PREPARATION, SectionKind.VERIFICATION)


@dataclass(slots=True)
class Node:
    """A heading with the steps right below it and the headings inside it."""

    heading: Heading | None
    own: list[str] = field(default_factory=list)
    children: list["Node"] = field(default_factory=list)

    def steps(self) -> list[str]:
        return [*self.own, *(step for child in self.children for step in child.steps())]


def declared_headings(metadata: Metadata) -> frozenset[str]:
    """The slugs of the headings that the front matter's `procedures:` names."""
    return frozenset(
        name for key, spec in _declarations(metadata) for name in _names(spec, "sections", (key,))
    )


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
        found = list(_declared(root, placed, layout, metadata, notes))
    else:
        found = list(_marked(root)) or list(_inferred(root, layout, title, notes))
    _explain(found, placed, metadata, notes)
    return tuple(found)


def tree(items: Sequence[Item], placed: Sequence[Placed]) -> Node:
    """The headings of the document, with the steps of the section Procedures."""
    root = Node(None)
    nodes: dict[str, Node] = {}
    open_ = [root]
    for heading in (item for item in items if isinstance(item, Heading)):
        while open_[-1].heading and open_[-1].heading.level >= heading.level:
            open_.pop()
        node = Node(heading)
        open_[-1].children.append(node)
        open_.append(node)
        nodes[heading.slug] = node
    for one in placed:
        if one.step.section is SectionKind.PROCEDURES:
            node = nodes[one.heading.slug] if one.heading else root
            node.own.append(one.step.id)
    return root


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, in the order of the document."""
    yield node
    for child in node.children:
        yield from walk(child)


# Declared in the front matter


def _declarations(metadata: Metadata) -> list[tuple[str, dict[str, object]]]:
    declared = metadata.values.get("procedures")
    if isinstance(declared, list):
        declared = {str(name): None for name in declared}
    if not isinstance(declared, dict):
        return []
    return [(str(key), spec if isinstance(spec, dict) else {}) for key, spec in declared.items()]


def _names(spec: dict[str, object], key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = spec.get(key)
    if isinstance(value, str):
        return (value,)
    return tuple(str(v).lstrip("#") for v in value) if isinstance(value, list) else default


def _declared(
    root: Node, placed: Sequence[Placed], layout: Layout, metadata: Metadata, notes: Notes
) -> Iterator[Procedure]:
    nodes = {n.heading.slug: n for n in walk(root) if n.heading}
    order = [one.step.id for one in placed]
    for key, spec in _declarations(metadata):
        line = metadata.line("procedures", key)
        if not SLUG.fullmatch(key):
            notes.add("RB104", line, f"The procedure's key {quote(key)} is no slug.")
            continue
        steps: set[str] = set()
        for name in _names(spec, "sections", (key,)):
            if name in nodes and layout.kinds[name] is SectionKind.PROCEDURES:
                steps.update(nodes[name].steps())
            else:
                _no_heading(key, name, nodes, layout, line, notes)
        steps = _only(spec, steps, line, notes)
        around = [_around(spec, section, placed, line, notes) for section in _NOT_STEPS]
        title = spec.get("title") or (nodes[key].heading.text if key in nodes else key)  # type: ignore[union-attr]
        yield Procedure(
            key=key,
            title=str(title),
            steps=tuple(i for i in order if i in steps),
            preparation=around[0],
            verification=around[1],
        )


def _only(spec: dict[str, object], steps: set[str], line: int, notes: Notes) -> set[str]:
    """Those of the steps that `steps:` names, if it is there."""
    if "steps" not in spec:
        return steps
    wanted = _names(spec, "steps", ())
    for name in wanted:
        if name not in steps:
            message = f"The sections of the procedure have no step {quote(name)}."
            known = ", ".join(sorted(steps))[:400] or "none"
            notes.add("RB308", line, message, f"They have: {known}.")
    return steps & set(wanted)


def _no_heading(
    key: str, name: str, nodes: dict[str, Node], layout: Layout, line: int, notes: Notes
) -> None:
    there = f"lies in {layout.kinds[name].capitalize()}" if name in nodes else "does not exist"
    known = ", ".join(n for n in nodes if layout.kinds[n] is SectionKind.PROCEDURES)
    notes.add(
        "RB304",
        line,
        f"The procedure {quote(key)} names the heading {quote(name)}, which {there}.",
        f"The headings of Procedures are: {known[:400] or 'none'}.",
    )


def _around(
    spec: dict[str, object], section: SectionKind, placed: Sequence[Placed], line: int, notes: Notes
) -> tuple[str, ...] | None:
    if section.value not in spec:
        return None
    known = [one.step.id for one in placed if one.step.section is section]
    wanted = _names(spec, section.value, ())
    for name in wanted:
        if name not in known:
            message = f"{section.capitalize()} has no step {quote(name)}."
            notes.add("RB308", line, message, f"It has: {', '.join(known)[:400] or 'none'}.")
    return tuple(i for i in known if i in wanted)


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
            notes.add("RB309", line, f"The procedure {quote(procedure.key)} has no steps.")
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
