"""The document as safe HTML: no raw HTML, images or styles, only links that lead somewhere harmless, and
no character that nobody sees."""

from collections.abc import Sequence
from html import escape
from typing import Any

import nh3
from markdown_it import MarkdownIt

from cvdops.lib.visible import visible
from cvdops.spec import highlight, html_rules, markdown_rules
from cvdops.spec.codes import Notes
from cvdops.spec.document import Step
from cvdops.spec.markdown_rules import ANCHOR, SCHEMES
from cvdops.spec.metadata import read_front_matter
from cvdops.spec.parser import read_lines
from cvdops.spec.slugs import Names

__all__ = ["ANCHOR", "render", "render_fragment"]

_MOST_HTML = 12_000_000
_MOST_ENTITIES = 60_000  # each costs ten microseconds
_TAGS = frozenset(
    {
        "a",
        "blockquote",
        "br",
        "code",
        "del",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "input",
        "li",
    }
    | {"ol", "p", "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"}
)
_ATTRIBUTES = {
    "a": {"href", "title"},
    "input": {"type", "checked", "disabled", "aria-label"},
    "ol": {"start"},
    "li": {"data-step"},
    "pre": {"data-line", "data-step"},
    **{f"h{level}": {"id"} for level in range(1, 7)},
}
_CLASSES = {
    "span": set(highlight.CLASSES),
    "pre": {"code"},
    "code": {f"language-{name}" for name in highlight.LANGUAGES},
    "li": {"task"},
    "td": {"align-left", "align-center", "align-right"},
    "th": {"align-left", "align-center", "align-right"},
}


def render(source: str, steps: Sequence[Step] = ()) -> str:
    """The whole document. Its front matter, comments and `{…}` attributes do not show.

    Headings have the id `doc-` and their slug; each block of code tells its line in the file, and that
    of a step, or the first item of its checklist, the id of the step.
    """
    lines = read_lines(source, Notes())
    if lines is None:
        return "<p>This document is too large to be shown.</p>"
    _, taken = read_front_matter(lines, Notes())
    body = "\n".join("" if number < taken else line for number, line in enumerate(lines))
    return _html(body, {"anchors": Names(), "steps": {step.line: step.id for step in steps}})


def render_fragment(markdown: str) -> str:
    """A piece of a document, such as the prose of a step; its headings have no ids."""
    lines = read_lines(markdown, Notes())
    return "" if lines is None else _html("\n".join(lines), {"anchors": None, "steps": {}})


def _html(markdown: str, env: dict[str, Any]) -> str:
    html = _MARKDOWN.render(markdown, {**env, "budget": highlight.Budget()})
    if len(html) > _MOST_HTML or html.count("&") > _MOST_ENTITIES:
        return f"<pre>{escape(visible(markdown))}</pre>"
    return nh3.clean(
        visible(html),
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        set_tag_attribute_values={"pre": {"tabindex": "0"}},  # a wide one scrolls by keyboard, too
        url_schemes=set(SCHEMES),
        link_rel="noopener noreferrer",
    )


def _build() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    markdown_rules.install(markdown)
    for name, rule in html_rules.RULES.items():
        markdown.add_render_rule(name, rule)
    return markdown


_MARKDOWN = _build()
