"""How the elements of a document become HTML where Markdown's own way is not safe or not ours."""

from collections.abc import MutableMapping, Sequence
from html import escape
from typing import Any

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from cvdops.spec import highlight

Env = MutableMapping[str, Any]


def _fence(
    _renderer: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, env: Env
) -> str:
    token = tokens[at]
    line = token.map[0] + 1 if token.map else 1
    step = f' data-step="{escape(env["steps"][line])}"' if line in env["steps"] else ""
    language, html = highlight.highlight(token.content, token.info, env["budget"])
    return f'<pre class="code" data-line="{line}"{step}><code class="language-{language}">{html}</code></pre>\n'


def _escaped(
    _renderer: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: Env
) -> str:
    """Raw HTML shows as the text it is; a comment does not show."""
    content = tokens[at].content
    return "" if content.lstrip().startswith("<!--") else escape(content)


def _alternative(
    _renderer: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: Env
) -> str:
    """An image is its words: nothing is loaded from anywhere."""
    return escape(tokens[at].content)


def _task_box(
    _renderer: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: Env
) -> str:
    done = tokens[at].meta["done"]
    word, checked = ("done", " checked") if done else ("to do", "")
    return f'<input type="checkbox" aria-label="{word}" disabled{checked}> '


def _cell(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Env
) -> str:
    """A column's alignment as a class, because styles are not allowed."""
    token = tokens[at]
    style = str(token.attrs.pop("style", ""))
    if style:
        token.attrSet("class", f"align-{style.removeprefix('text-align:')}")
    return renderer.renderToken(tokens, at, options, env)


RULES = {
    "fence": _fence,
    "html_block": _escaped,
    "html_inline": _escaped,
    "image": _alternative,
    "task_box": _task_box,
    "td_open": _cell,
    "th_open": _cell,
}
