"""Whether a page is valid HTML: what its parser says, and rules of nesting and names that it bears with."""

from collections import Counter
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import html5lib

NAMESPACE = "{http://www.w3.org/1999/xhtml}"
# What may stand in a line of text alone; a `<div>` inside is shown, and is wrong all the same.
PHRASING = {"span", "b", "i", "em", "strong", "small", "button", "label", "code", "kbd", "legend"}
PHRASING |= {"h1", "h2", "h3", "h4", "h5", "h6", "p", "time", "pre", "summary", "dt"}
BLOCKS = {"div", "p", "ul", "ol", "dl", "table", "section", "article", "header", "footer", "form"}
BLOCKS |= {"fieldset", "figure", "nav", "main", "aside", "details", "dialog", "pre", "blockquote"}
HEADED = {"legend", "summary"}  # these may hold a heading
INSIDE = {"ul": {"li"}, "ol": {"li"}, "dl": {"dt", "dd", "div"}, "select": {"option", "optgroup"}}
POINTERS = ("for", "aria-labelledby", "aria-describedby", "form", "list")


def faults(html: str) -> list[str]:
    """What is wrong, as short sentences; empty for a valid page."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=True)
    root = parser.parse(html)
    found = [f"line {at[0]}: {code} {data}" for at, code, data in parser.errors]
    return [*found, *_names(root), *_nesting(root)]


def _name(element: Element) -> str:
    tag = element.tag if isinstance(element.tag, str) else ""
    return tag.removeprefix(NAMESPACE)


def _names(root: Element) -> Iterator[str]:
    """Each id once, and what points to one points somewhere."""
    ids = Counter(value for e in root.iter() if (value := e.get("id")) is not None)
    yield from (f"the id {name!r} {count} times" for name, count in ids.items() if count > 1)
    for element in root.iter():
        for pointer in POINTERS:
            for name in (element.get(pointer) or "").split():
                if name not in ids:
                    yield f"<{_name(element)} {pointer}={name!r}> points nowhere"


def _nesting(root: Element) -> Iterator[str]:
    for parent in root.iter():
        name = _name(parent)
        for child in parent:
            inner = _name(child)
            headings = {"h1", "h2", "h3", "h4", "h5", "h6"}
            wrong = inner in BLOCKS or (inner in headings and name not in HEADED)
            if name in PHRASING and wrong:
                yield f"<{inner}> in <{name}>"
            if name in INSIDE and inner and inner not in INSIDE[name] | {"script", "template"}:
                yield f"<{inner}> in <{name}>"
