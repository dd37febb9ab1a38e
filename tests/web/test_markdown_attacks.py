"""Hostile Markdown in a real browser: nothing runs, nothing is asked of anybody else, the CSP stays silent."""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route
from pytest_django.live_server_helper import LiveServer

from cvdops.catalog.sync import sync
from cvdops.spec.render import render_fragment
from tests.spec import attacks
from tests.spec.test_attacks import ALLOWED
from tests.web.world import World

WATCH = """
window.ran = 0; window.blocked = [];
document.addEventListener("securitypolicyviolation", e => window.blocked.push(e.blockedURI));
"""
FOUND = """root => [...root.querySelectorAll("*")].map(e => ({
  tag: e.localName, space: e.namespaceURI, names: e.getAttributeNames(), scheme: e.protocol || "",
  ids: e.id ? [e.id] : [],
}))"""
PROSE = "\n\n".join([*attacks.RAW, *attacks.LINKS, *attacks.IMAGES])
DOCUMENT = f"""---
format: 1
id: deployment
category: deployment
title: {json.dumps(attacks.RAW[0])}
purpose: {json.dumps(attacks.RAW[5])}
impact: {json.dumps("".join(attacks.RAW[:8]))}
---
# T {attacks.RAW[5]}

## Overview

{attacks.DOCUMENT}

## Procedures

### Do it {attacks.RAW[5]}

{PROSE}

```bash {{#it}}
echo '{attacks.RAW[0]}'
```

## Troubleshooting
### It fails {attacks.RAW[5]}
**Symptoms**: {attacks.RAW[5]}

**Resolution**: [x](javascript:window.ran=1)
"""


@pytest.fixture
def page(live_server: LiveServer, world: World, browser: Browser) -> Iterator[Page]:
    """Somebody who may read and start the runbook. Whatever is noticed fails the test at its end."""
    elsewhere: list[str] = []
    noticed: list[str] = []

    def pass_on(route: Route) -> None:
        if urlsplit(route.request.url).netloc == urlsplit(live_server.url).netloc:
            return route.continue_()
        elsewhere.append(route.request.url)
        return route.abort()

    context = browser.new_context(base_url=live_server.url)
    session = world.client("devops-engineer").cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    context.route("**/*", pass_on)
    context.add_init_script(WATCH)
    made = context.new_page()
    made.on("dialog", lambda dialog: noticed.append(dialog.message))
    made.on("console", lambda m: noticed.append(m.text) if m.type == "error" else None)
    made.on("pageerror", lambda error: noticed.append(str(error)))
    yield made
    assert made.evaluate("[window.ran, window.blocked]") == [0, []]
    context.close()
    assert elsewhere == []
    assert noticed == []


def publish(world: World, text: str) -> None:
    (world.folder / "deployment.md").write_text(text)
    sync(world.folder)


def judge(page: Page, root: str) -> None:
    """Only what may be is below the root, whatever the browser made of it."""
    for element in page.locator(root).evaluate(FOUND):
        assert element["space"] == "http://www.w3.org/1999/xhtml"
        assert set(element["names"]) <= ALLOWED[element["tag"]]
        assert element["scheme"] in ("", ":", "http:", "https:", "mailto:")  # ":" leads nowhere
        assert all(name.startswith("doc-") for name in element["ids"])


def test_the_page_of_a_runbook_is_inert(page: Page, world: World) -> None:
    publish(world, DOCUMENT)
    page.goto("/runbooks/deployment/")
    judge(page, "article.document")
    assert page.locator("article.document h2").first.is_visible()
    for link in page.locator("article.document a").all()[:20]:
        link.hover()


def test_its_launch_page_is_inert(page: Page, world: World) -> None:
    publish(world, DOCUMENT)
    page.goto("/runbooks/deployment/run/?environment=development")
    assert page.locator(".prose").count()
    for prose in range(page.locator(".prose").count()):
        judge(page, f".prose >> nth={prose}")


def test_each_attack_alone_is_inert(page: Page, world: World) -> None:
    """All in one page, each in an element of its own, the way a browser reads what it is sent."""
    page.goto("/runbooks/")
    html = [render_fragment(attack) for attack in attacks.ALL]
    page.evaluate(
        "all => document.body.replaceChildren(...all.map(html => Object.assign("
        "document.createElement('article'), {className: 'alone', innerHTML: html})))",
        html,
    )
    for number in range(len(html)):
        judge(page, f"article.alone >> nth={number}")
