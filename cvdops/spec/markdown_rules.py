"""What is changed in the parsing of Markdown for pages: bounded work, own anchors, task lists, safe links."""

import re
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_block.reference import reference
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from cvdops.spec import first_characters, outline
from cvdops.spec.slugs import Names, slug

_FIRST_SEGMENT = re.compile("[/?#]")
ANCHOR = "doc-"  # before every id, so that no heading can pose as a part of the page
SCHEMES = frozenset({"http", "https", "mailto"})

_LONGEST_INLINE = 4096  # characters of one paragraph with markup; markdown-it is quadratic in them
_MOST_MARKS = 200  # of them in one paragraph, for the same reason
_MOST_INLINES = 8_000
_LONGEST_ROW = 4096
_MOST_COLUMNS = 100
_MOST_CELLS = 20_000  # of all tables of a document


def install(markdown: MarkdownIt) -> None:
    first_characters.install(markdown)
    markdown.validateLink = _may_lead_to  # type: ignore[method-assign]  # the documented hook
    markdown.block.ruler.at("reference", _bounded_reference, {"alt": []})
    markdown.block.ruler.at("table", _bounded_table, {"alt": ["paragraph", "reference"]})
    markdown.core.ruler.at("inline", _bounded_inline)
    markdown.core.ruler.before("inline", "headings", _headings)
    markdown.core.ruler.after("inline", "tasks", _tasks)
    markdown.core.ruler.after("tasks", "links", _links)


def _bounded_reference(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Link definitions whose label is closed on its line; unclosed ones make the rule quadratic."""
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    return line.startswith("[") and "]:" in line and reference(state, start, end, silent)


def _bounded_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    header = state.src[state.bMarks[start] : state.eMarks[start]]
    narrow = len(header) <= _LONGEST_ROW and header.count("|") <= _MOST_COLUMNS
    if "cells" not in state.env:
        state.env["cells"] = state.src.count("|")
    return narrow and state.env["cells"] <= _MOST_CELLS and table(state, start, end, silent)


def _bounded_inline(state: StateCore) -> None:
    """Inline markup, but a text that is too long for it stays a text."""
    parsed = 0
    for token in state.tokens:
        if token.type != "inline":
            continue
        token.children = []
        if parsed >= _MOST_INLINES or _is_costly(token.content):
            token.children.append(Token("text", "", 0, content=token.content))
            continue
        parsed += 1
        state.md.inline.parse(token.content, state.md, state.env, token.children)


def _is_costly(text: str) -> bool:
    return len(text) > _MOST_MARKS and (
        len(text) > _LONGEST_INLINE or sum(text.count(mark) for mark in "[*_~<`") > _MOST_MARKS
    )


def _headings(state: StateCore) -> None:
    """Takes the attributes off the headings and gives them their ids."""
    taken: Names | None = state.env["anchors"]
    number = 0
    for opening, token in zip(state.tokens, state.tokens[1:], strict=False):
        if opening.type == "heading_open":
            token.content, attributes = outline.split_heading(token.content)
            if taken and opening.level == 0:
                number += 1
                text = attributes.id or outline.heading_text(token.content, number)
                opening.attrSet("id", ANCHOR + outline.anchor(text, taken))


def _tasks(state: StateCore) -> None:
    """`- [ ] text` becomes an item with a box that nobody can tick."""
    for item, paragraph, token in zip(
        state.tokens, state.tokens[1:], state.tokens[2:], strict=False
    ):
        if (
            item.type != "list_item_open"
            or paragraph.type != "paragraph_open"
            or not token.children
        ):
            continue
        first = token.children[0]
        if first.type == "text" and first.content[:4].lower() in ("[ ] ", "[x] "):
            done = first.content[1] != " "
            first.content = first.content[4:]
            token.children.insert(0, Token("task_box", "", 0, meta={"done": done}))
            item.attrSet("class", "task")
            if item.map and (step := state.env["steps"].get(item.map[0] + 1)):
                item.attrSet("data-step", step)


def _links(state: StateCore) -> None:
    """A link into the document leads to the heading's own id."""
    for token in state.tokens:
        for child in token.children or ():
            href = child.attrGet("href") if child.type == "link_open" else None
            if isinstance(href, str) and href.startswith("#"):
                child.attrSet("href", f"#{ANCHOR}{slug(href[1:], 'section')}")


def _may_lead_to(url: str) -> bool:
    if url.startswith(("//", "/\\", "\\")):
        return False  # another host without saying so
    try:
        scheme = urlsplit(url).scheme.lower()
    except ValueError:
        return False
    if scheme:
        return scheme in SCHEMES
    return ":" not in _FIRST_SEGMENT.split(url, maxsplit=1)[0]  # it would pass for a scheme
