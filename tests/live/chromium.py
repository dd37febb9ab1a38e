"""The page of an execution in a real browser, against the web server of the tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from cvdops.executions.models import Execution
from tests.live.viewer import Visitor

expect.set_options(timeout=60_000)
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
# What a browser says about a server that is away or refuses: no fault of the page.
NETWORK = ("409", "422", "net::ERR_", "503")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        # The browser's driver runs an event loop in this thread; the tests are no part of it.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        path = CHROMIUM if Path(CHROMIUM).exists() else None
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def errors() -> Iterator[list[str]]:
    """Every error of a script or of the CSP fails the test."""
    found: list[str] = []
    yield found
    assert found == []


def new_page(
    browser: Browser, visitor: Visitor, errors: list[str], port: int = 0, **options: object
) -> Page:
    """A browser of its own with the visitor's session; `port`: of a proxy before the server."""
    url = f"http://127.0.0.1:{port or visitor.port}"
    context = browser.new_context(base_url=url, **options)
    context.add_cookies([{"name": "sessionid", "value": visitor.session, "url": url}])
    made = context.new_page()
    made.on("pageerror", lambda error: errors.append(str(error)))
    made.on(
        "console",
        lambda m: (
            errors.append(m.text)
            if m.type == "error" and not any(word in m.text for word in NETWORK)
            else None
        ),
    )
    return made


@pytest.fixture
def page(visitor: Visitor, browser: Browser, errors: list[str]) -> Iterator[Page]:
    """Logged in as somebody who may assist."""
    made = new_page(browser, visitor, errors)
    yield made
    made.context.close()


def open_page(page: Page, execution: Execution, query: str = "") -> None:
    page.goto(f"/executions/{execution.pk}/{query}")
    expect(page.locator("#badge")).to_have_text("live")


def lines(page: Page) -> list[str]:
    return page.locator("#lines").evaluate("e => [...e.children].map(c => c.textContent)")


def top_line(page: Page) -> str:
    """The first line that is in view."""
    return page.locator("#lines").evaluate(
        "e => [...e.children].find(c => c.offsetTop + c.offsetHeight > e.scrollTop + 1).textContent"
    )


def at_end(page: Page) -> bool:
    return page.locator("#lines").evaluate(
        "e => e.scrollHeight - e.scrollTop - e.clientHeight < 24"
    )


def in_view(line: Locator) -> bool:
    """Whether a line is among those that the terminal shows now."""
    return line.evaluate(
        """e => { const a = e.getBoundingClientRect(), b = e.parentElement.getBoundingClientRect();
                  return a.top >= b.top - 1 && a.bottom <= b.bottom + 1 }"""
    )
