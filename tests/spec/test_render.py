"""The HTML of a document: readable, and inert whatever it says."""

import re
import time
from html.parser import HTMLParser

import pytest

from cvdops.spec.parser import parse
from cvdops.spec.render import render, render_fragment
from tests.spec.documents import ANNOTATED

HTML = render(ANNOTATED)


class Page(HTMLParser):
    """What a browser would make of it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links += [value or "" for name, value in attrs if name == "href"]


def test_front_matter_and_attributes_do_not_show() -> None:
    assert "format: 1" not in HTML
    assert "timeout=60s" not in HTML
    assert "{#database-restore}" not in HTML


def test_headings_have_anchors_that_cannot_pose_as_the_page() -> None:
    assert '<h3 id="doc-database-backup">Database backup</h3>' in HTML
    assert '<h3 id="doc-database-restore">Restore</h3>' in HTML


def test_code_is_coloured_by_classes_and_knows_its_line() -> None:
    line = (
        ANNOTATED.split("\n").index(
            "```bash {#backup timeout=60s destructive rollback=remove-backup}"
        )
        + 1
    )
    assert (
        f'<pre class="code" data-line="{line}" tabindex="0"><code class="language-bash"><span class="nb">echo'
        in HTML
    )
    assert "style" not in HTML


def test_a_step_shows_its_id_beside_its_block_and_its_checklist() -> None:
    source = "# T\n\n## Procedures\n\n```bash {#go}\nls\n```\n\n### Look\n\n- a\n- [ ] b\n- [ ] c\n"
    html = render(source, parse(source).steps)
    assert '<pre class="code" data-line="5" data-step="go" tabindex="0">' in html
    assert html.count("data-step") == 2
    box = '<input type="checkbox" aria-label="to do" disabled="">'
    assert f'<li class="task" data-step="look">{box} b</li>' in html


def test_tables_and_task_lists() -> None:
    html = render_fragment("| a |\n|--:|\n| 1 |\n\n- [x] done\n- [ ] **not**\n")
    assert '<td class="align-right">1</td>' in html
    box = '<input type="checkbox" aria-label="done" disabled="" checked="">'
    assert f'<li class="task">{box} done</li>' in html
    assert "<strong>not</strong>" in html


def test_a_link_into_the_document_leads_to_the_anchor() -> None:
    assert 'href="#doc-database-backup"' in render_fragment("[x](#database--backup)")


def test_a_comment_does_not_show() -> None:
    assert render_fragment("a\n\n<!-- secret -->\n").strip() == "<p>a</p>"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<div style='position:fixed'>x</div>",
        "<form action=/x><input name=y></form>",
        "<base href=//evil>",
        "<iframe src=x></iframe>",
        "<style>*{}</style>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](data:text/html,x)",
        "[x](vbscript:x)",
        "[x](//evil.example)",
        "[x](file:///etc/passwd)",
        "<javascript:alert(1)>",
        "![x](https://evil.example/beacon.png)",
        "[a]: javascript:alert(1)\n\n[a]",
        '```bash"><script>\nx\n```',
        '# x {#"><script>}',
        '[x](https://a "\\"><script>")',
    ],
)
def test_nothing_active_survives(text: str) -> None:
    page = Page()
    page.feed(render_fragment(text) + render(text))
    assert page.tags <= {"p", "a", "h1", "pre", "code", "span", "ul", "li"}
    assert page.attributes <= {"href", "rel", "title", "id", "class", "data-line", "tabindex"}
    assert all(re.match(r"https://a|#doc-|[\w.]", link) for link in page.links)
    assert not any(":" in link.removeprefix("https:") for link in page.links)


def test_links_elsewhere_tell_nobody_where_they_come_from() -> None:
    assert render_fragment("[x](https://a.example)") == (
        '<p><a href="https://a.example" rel="noopener noreferrer">x</a></p>\n'
    )


@pytest.mark.parametrize(
    "source",
    [
        "[" * 100_000,
        "[a\n" * 19_000,
        "<div>" * 200_000,
        "*a **b " * 140_000,
        ("[" * 4000 + "\n\n") * 240,
        ("**a" * 1300 + "\n\n") * 240,
        "|a" * 240_000 + "\n" + "|-" * 240_000,
        "> " * 400_000,
        "&&" * 450_000,
        "- **a**: b\n" * 19_000,
        "```bash\n" + "echo $((1))\n" * 19_000,
    ],
)
def test_a_hostile_document_is_quick(source: str) -> None:
    start = time.process_time()
    render(source)
    assert time.process_time() - start < 20


def test_too_large_a_document_says_so() -> None:
    assert "too large" in render("a" * 1_000_001)


def test_characters_that_nobody_sees_are_shown() -> None:
    html = render("# A\u202eB\n\nText&#8238;\n\n```bash\nrm \u202ex\u200b\n```\n")
    assert html.count("⟨U+202E⟩") == 3
    assert "⟨U+200B⟩" in html
    assert not {"\u202e", "\u200b"} & set(html)
    assert 'id="doc-ab"' in html
