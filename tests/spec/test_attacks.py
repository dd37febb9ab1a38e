"""The HTML of hostile Markdown, taken apart by a parser: nothing is in it but what may be."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvdops.spec.render import render, render_fragment
from tests.examples import examples
from tests.spec import attacks

VOID = {"br", "hr", "input"}
HEADINGS = {f"h{level}" for level in range(1, 7)}
PLAIN = {"blockquote", "br", "em", "hr", "p", "s", "strong", "table", "tbody", "thead", "tr", "ul"}
CLASS = {"code", "span", "td", "th"}
ALLOWED: dict[str, set[str]] = {
    **{tag: set() for tag in PLAIN},
    **{tag: {"class"} for tag in CLASS},
    **{tag: {"id"} for tag in HEADINGS},
    "a": {"href", "title", "rel"},
    "input": {"type", "disabled", "checked", "aria-label"},
    "ol": {"start"},
    "li": {"class", "data-step"},
    "pre": {"class", "data-line", "data-step", "tabindex"},
}


class Judge(HTMLParser):
    """Fails at the first thing that is not allowed, or not closed in the order it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        assert tag in ALLOWED
        assert values.keys() <= ALLOWED[tag]
        assert values.get("tabindex", "0") == "0"
        assert tag != "a" or "a" not in self.open
        self.link(values.get("href", ""))
        if tag == "input":
            assert values["type"] == "checkbox"
            assert "disabled" in values
            assert values["aria-label"] in {"done", "to do"}
        self.ids += [values["id"]] if "id" in values else []
        if tag not in VOID:
            self.open.append(tag)

    def link(self, href: str) -> None:
        scheme, colon, _ = re.split("[/?#]", href, maxsplit=1)[0].partition(":")
        assert not colon or scheme in ("http", "https", "mailto")
        assert not href.startswith(("//", "/\\", "\\"))
        assert all(c.isprintable() for c in href)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")


def judge(html: str) -> None:
    parser = Judge()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    assert all(name.startswith("doc-") for name in parser.ids)
    assert len(set(parser.ids)) == len(parser.ids)


@pytest.mark.parametrize("attack", attacks.ALL)
def test_it_is_inert(attack: str) -> None:
    for around in ("%s", "> %s", "- [ ] %s", "# %s", "| %s |\n|---|", "**%s**"):
        judge(render(around % attack))
        judge(render_fragment(around % attack))


def test_all_together_are_inert() -> None:
    judge(render(attacks.DOCUMENT))


def test_nothing_that_is_rendered_becomes_active_by_being_rendered_again() -> None:
    judge(render(render(attacks.DOCUMENT)))


@examples(200)
@given(
    st.lists(st.sampled_from([*attacks.ALL, "\n", "\n\n", "`", "<", "[", "](", "*"]), max_size=6)
)
def test_any_of_them_in_any_order_are_inert(pieces: list[str]) -> None:
    judge(render("".join(pieces)))
