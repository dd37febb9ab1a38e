"""The document as safe HTML: no raw HTML, images or styles, and only links that lead somewhere harmless."""

from collections.abc import MutableMapping, Sequence
from html import escape
from typing import Any
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_block.reference import reference
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from cvdops.spec import highlight, outline
from cvdops.spec.codes import Notes
from cvdops.spec.metadata import read_front_matter
from cvdops.spec.parser import read_lines
from cvdops.spec.slugs import Names, slug

ANCHOR = "doc-"  # before every id, so that no heading can pose as a part of the page

_Env = MutableMapping[str, Any]
_LONGEST_INLINE = 4096  # characters of one paragraph with markup; markdown-it is quadratic in them
_MOST_MARKS = 200  # of them in one paragraph, for the same reason
_MOST_INLINES = 20_000
_LONGEST_ROW = 4096
_MOST_HTML = 12_000_000
_SCHEMES = frozenset({"http", "https", "mailto"})
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
    "input": {"type", "checked", "disabled"},
    "ol": {"start"},
    "pre": {"data-line"},
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


def render(source: str) -> str:
    """The whole document. Its front matter, comments and `{…}` attributes do not show.

    Headings have the id `doc-` and their slug; each block of code tells its line in the file.
    """
    lines = read_lines(source, Notes())
    if lines is None:
        return "<p>This document is too large to be shown.</p>"
    _, taken = read_front_matter(lines, Notes())
    body = "\n".join("" if number < taken else line for number, line in enumerate(lines))
    return _html(body, anchors=True)


def render_fragment(markdown: str) -> str:
    """A piece of a document, such as the prose of a step; its headings have no ids."""
    lines = read_lines(markdown, Notes())
    return "" if lines is None else _html("\n".join(lines), anchors=False)


def _html(markdown: str, *, anchors: bool) -> str:
    env: dict[str, Any] = {"anchors": Names() if anchors else None, "budget": highlight.Budget()}
    html = _MARKDOWN.render(markdown, env)
    if len(html) > _MOST_HTML:
        return f"<pre>{escape(markdown)}</pre>"
    return nh3.clean(
        html,
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        url_schemes=set(_SCHEMES),
        link_rel="noopener noreferrer",
    )


# Rules of the parser


def _bounded_reference(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Link definitions whose label is closed on its line; unclosed ones make the rule quadratic."""
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    return line.startswith("[") and "]:" in line and reference(state, start, end, silent)


def _bounded_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    narrow = state.eMarks[start] - state.bMarks[start] <= _LONGEST_ROW
    return narrow and table(state, start, end, silent)


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
    for opening, token in zip(state.tokens, state.tokens[1:], strict=False):
        if opening.type == "heading_open":
            token.content, named, _ = outline.split_heading(token.content)
            if taken and opening.level == 0:
                text = named or outline.plain(token.content)
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
    return not scheme or scheme in _SCHEMES


# Rules of the renderer


def _fence(
    _renderer: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, env: _Env
) -> str:
    token = tokens[at]
    line = token.map[0] + 1 if token.map else 1
    language, html = highlight.highlight(token.content, token.info, env["budget"])
    return f'<pre class="code" data-line="{line}"><code class="language-{language}">{html}</code></pre>\n'


def _escaped(
    _renderer: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: _Env
) -> str:
    """Raw HTML shows as the text it is; a comment does not show."""
    content = tokens[at].content
    return "" if content.lstrip().startswith("<!--") else escape(content)


def _alternative(
    _renderer: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: _Env
) -> str:
    """An image is its words: nothing is loaded from anywhere."""
    return escape(tokens[at].content)


def _task_box(
    _renderer: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: _Env
) -> str:
    checked = " checked" if tokens[at].meta["done"] else ""
    return f'<input type="checkbox" disabled{checked}> '


def _cell(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: _Env
) -> str:
    """A column's alignment as a class, because styles are not allowed."""
    token = tokens[at]
    style = str(token.attrs.pop("style", ""))
    if style:
        token.attrSet("class", f"align-{style.removeprefix('text-align:')}")
    return renderer.renderToken(tokens, at, options, env)


def _build() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    markdown.validateLink = _may_lead_to  # type: ignore[method-assign]  # the documented hook
    markdown.block.ruler.at("reference", _bounded_reference, {"alt": []})
    markdown.block.ruler.at("table", _bounded_table, {"alt": ["paragraph", "reference"]})
    markdown.core.ruler.at("inline", _bounded_inline)
    markdown.core.ruler.before("inline", "headings", _headings)
    markdown.core.ruler.after("inline", "tasks", _tasks)
    markdown.core.ruler.after("tasks", "links", _links)
    for name, rule in (
        ("fence", _fence),
        ("html_block", _escaped),
        ("html_inline", _escaped),
        ("image", _alternative),
        ("task_box", _task_box),
        ("td_open", _cell),
        ("th_open", _cell),
    ):
        markdown.add_render_rule(name, rule)
    return markdown


_MARKDOWN = _build()
