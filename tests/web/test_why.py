"""Whatever cannot be used says why and what to do instead: without a script, and reached by the keyboard."""

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.db import connections
from django.urls import reverse

from cvdops.settings import BASE_DIR
from tests.web.access_table import TABLE
from tests.web.world import World

VOID = {"input", "img", "link", "meta", "br", "hr", "path", "circle", "line", "rect", "polyline"}


PAGES = sorted(n for n, row in TABLE.items() if row.get and (not row.api or n == "api-docs"))


@dataclass
class Page(HTMLParser):
    """The controls of a page that cannot be used, its ids, and the text below each element."""

    html: str
    off: list[tuple[str, dict[str, str | None], str]] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)
    ids: Counter[str] = field(default_factory=Counter)
    texts: dict[str, str] = field(default_factory=dict)
    _open: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.ids[str(given["id"])] += 1
        if "disabled" in given:
            self.bare.append(tag)
        if given.get("aria-disabled") == "true":
            inside = self._open[-1][0] if self._open else ""
            self.off.append((tag, given, inside))
        if tag not in VOID:
            self._open.append((tag, given))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for _, given in self._open:
            for name in (given.get("id"), given.get("class")):
                if name:
                    self.texts[name] = self.texts.get(name, "") + data


def explained(page: Page, tag: str, given: dict[str, str | None], inside: str) -> bool:
    if tag == "summary":  # a press, with mouse, finger or keyboard, opens the reason
        return inside == "details" and bool(page.texts.get("pop", "").strip())
    below = str(given.get("aria-describedby"))
    return tag == "button" and page.ids[below] == 1 and bool(page.texts.get(below, "").strip())


@pytest.mark.parametrize("name", PAGES)
def test_each_control_that_is_off_explains_itself(
    name: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "close_all", lambda: None)
    row = TABLE[name]
    address = reverse(name, kwargs=world.named(row.kwargs))
    for role in ("developer", "auditor", "operations-lead"):
        answer = world.client(role).get(address)
        if answer.status_code != 200 or answer.streaming or b"<main" not in answer.content:
            continue
        page = Page(answer.content.decode())
        assert page.bare == [], f"{role} meets a control that only says no"
        assert [off for off in page.off if not explained(page, *off)] == []
        assert {i for i, count in page.ids.items() if count > 1} == set()


@pytest.mark.parametrize(
    ("role", "address", "label"),
    [
        ("developer", "/runbooks/deployment/", "Run"),
        (
            "developer",
            "/runbooks/deployment/run/?procedure=greet&environment=development",
            "Start in development",
        ),
        ("auditor", "/permissions/", "Change the matrix"),
        ("auditor", "/environments/development/hosts/practice/", "Test connection"),
    ],
)
def test_who_may_not_meets_the_control_and_its_reason(
    world: World, role: str, address: str, label: str
) -> None:
    html = world.client(role).get(address).content.decode()
    page = Page(html)
    assert page.off
    assert label in html
    assert any("Ask" in text for text in page.texts.values())


def test_no_template_turns_a_control_off_without_a_word() -> None:
    templates = (Path(BASE_DIR) / "templates").rglob("*.html")
    bare = [t.name for t in templates if " disabled" in t.read_text().replace("aria-disabled", "")]
    assert bare == []
