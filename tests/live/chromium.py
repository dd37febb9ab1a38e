"""The page of an execution in a real browser, against the web server of the tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect, sync_playwright

from cvdops.executions.models import Execution
from tests.live.viewer import Visitor

expect.set_options(timeout=60_000)
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
# Asked for by the page itself, or the browser would begin a new process for the next page.
LEAVE = "location.replace('about:blank')"
VIEWPORT: ViewportSize = {"width": 1280, "height": 720}
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
# Jumps of the page that nobody has asked for, as Chromium counts them, and what has jumped
SHIFTS = """() => { window.shifts = []; window.moved = []; new PerformanceObserver(list => {
  const name = node => node?.cloneNode?.(false).outerHTML ?? node?.textContent ?? "what is gone";
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) {
    window.shifts.push(entry.value);
    for (const { node, previousRect, currentRect } of entry.sources)
      window.moved.push(`${name(node)}: ${previousRect.y} to ${currentRect.y}`);
  }
}).observe({ type: "layout-shift", buffered: false }); }"""
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


@pytest.fixture(scope="module")
def said() -> list[str]:
    """The errors of all pages."""
    return []


@pytest.fixture
def errors(said: list[str]) -> Iterator[list[str]]:
    """Every error of a script or of the CSP fails the test."""
    yield said
    found = said.copy()
    said.clear()
    assert not found, found


def log_in(page: Page, visitor: Visitor, port: int = 0) -> None:
    """Give a browser the visitor's session."""
    url = f"http://127.0.0.1:{port or visitor.port}"
    page.context.add_cookies([{"name": "sessionid", "value": visitor.session, "url": url}])


def watched(page: Page, errors: list[str]) -> Page:
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda m: (
            errors.append(m.text)
            if m.type == "error" and not any(word in m.text for word in NETWORK)
            else None
        ),
    )
    return page


def new_page(
    browser: Browser, visitor: Visitor, errors: list[str], port: int = 0, **options: object
) -> Page:
    """A browser of its own with the visitor's session; `port`: of a proxy before the server."""
    url = f"http://127.0.0.1:{port or visitor.port}"
    made = watched(browser.new_context(base_url=url, **options).new_page(), errors)
    log_in(made, visitor, port)
    return made


@pytest.fixture(scope="module")
def tab(browser: Browser, port: int, said: list[str]) -> Iterator[Page]:
    """One for many tests: to open the first page costs a browser five times as much as the next ones."""
    made = watched(browser.new_context(base_url=f"http://127.0.0.1:{port}").new_page(), said)
    yield made
    made.context.close()


@pytest.fixture
def page(visitor: Visitor, tab: Page, errors: list[str]) -> Iterator[Page]:
    """Logged in as somebody who may assist. Who changes more of the browser takes a `new_page`."""
    tab.context.clear_cookies()
    tab.set_viewport_size(VIEWPORT)
    log_in(tab, visitor)
    yield tab
    tab.evaluate(LEAVE)
    tab.wait_for_url("about:blank")
    tab.context.clear_permissions()


def open_page(page: Page, execution: Execution, query: str = "") -> None:
    page.goto(f"/executions/{execution.pk}/{query}")
    expect(page.locator("#badge")).to_have_text("live")


def lines(page: Page) -> list[str]:
    return page.locator("#lines").evaluate("e => [...e.children].map(c => c.textContent)")


def first_line(page: Page) -> str:
    return page.locator("#lines").evaluate("e => e.firstElementChild.textContent")


def last_line(page: Page) -> str:
    return page.locator("#lines").evaluate("e => e.lastElementChild.textContent")


def count(page: Page) -> int:
    """How many lines there are in the page."""
    return page.locator("#lines").evaluate("e => e.childElementCount")


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
