"""The headings of a document as a tree, with the steps of the section Procedures below them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cvdops.spec.document import SectionKind
from cvdops.spec.outline import Heading, Item
from cvdops.spec.steps import Placed


@dataclass(slots=True)
class Node:
    """A heading with the steps right below it and the headings inside it."""

    heading: Heading | None
    own: list[str] = field(default_factory=list)
    children: list["Node"] = field(default_factory=list)

    def steps(self) -> list[str]:
        return [*self.own, *(step for child in self.children for step in child.steps())]


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
