"""What Chromium's own trace says of a page: when it was first painted, and how far it moved afterwards."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.figures import Figure, median

CHROMIUM = "/usr/bin/chromium"
TIMES = 7
CATEGORIES = ["loading", "blink.user_timing", "devtools.timeline"]
WATCHED = 1500  # milliseconds after the load in which nothing may move
TRIES = 3


@dataclass(frozen=True, slots=True)
class Painted:
    """First contentful paint in ms from the navigation; the sum of the layout shifts (no unit)."""

    contentful: float
    shift: float


def painted(browser: Browser, page: Page, address: str, wait: int = WATCHED) -> Painted:
    """Open a page with Chromium tracing it, and read what the trace says.

    Once more if the trace has lost the beginning: without it there is no figure.
    """
    for _ in range(TRIES):
        browser.start_tracing(page=page, categories=CATEGORIES)
        page.goto(address, wait_until="load")
        page.wait_for_timeout(wait)
        found = read(json.loads(browser.stop_tracing())["traceEvents"])
        if found is not None:
            return found
    raise AssertionError(f"no trace of {address} has the beginning of its navigation")


def read(events: Iterable[dict[str, Any]]) -> Painted | None:
    """The figures of the newest navigation of the main frame; None if its beginning is not there."""
    rows = sorted((e for e in events if "ts" in e), key=lambda e: e["ts"])
    paints = [e for e in rows if e["name"] == "firstContentfulPaint"]
    assert paints, "the trace tells of no contentful paint"
    navigation = paints[-1]["args"]["data"]["navigationId"]
    begun = [e for e in rows if e["name"] == "navigationStart"]
    begun = [e for e in begun if e["args"]["data"].get("navigationId") == navigation]
    if not begun:
        return None
    began = begun[-1]["ts"]
    shifts = [e for e in rows if e["name"] == "LayoutShift" and e["ts"] >= began]
    return Painted(
        (paints[-1]["ts"] - began) / 1000, sum(e["args"]["data"]["score"] for e in shifts)
    )


def measure(port: int, cookie: str, execution: str) -> list[Figure]:
    """Of home, catalog, execution and history: the median paint with a warm cache, the largest shift."""
    pages = {
        "home": "/",
        "catalog": "/runbooks/",
        "execution": f"/executions/{execution}/",
        "history": "/executions/",
    }
    figures = []
    with sync_playwright() as playwright:
        path = CHROMIUM if Path(CHROMIUM).exists() else None
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        context = browser.new_context(base_url=f"http://127.0.0.1:{port}")
        pairs = (part.split("=", 1) for part in cookie.split("; "))
        context.add_cookies(
            [{"name": n, "value": v, "url": f"http://127.0.0.1:{port}"} for n, v in pairs]
        )
        page = context.new_page()
        for name, address in pages.items():
            page.goto(address)
            found = [painted(browser, page, address) for _ in range(TIMES)]
            first = median([one.contentful for one in found])
            shift = max(one.shift for one in found)
            figures += [
                Figure(f"{name}: first contentful paint", first, "ms", None, 300.0),
                Figure(f"{name}: layout shift", shift, "", None, 0.0),
            ]
        browser.close()
    return figures
