"""An output of 200 MB in a browser: its page opens at once, holds a part, and reaches all of it."""

import time

import pytest
from playwright.sync_api import Page, expect

from cvdops.executions.models import Execution, StepAttempt
from tests.executions.scene import Scene
from tests.live.chromium import at_end, count, first_line, last_line, open_page
from tests.live.output import attempt, write
from tests.waiting import until

WIDTH = 80  # bytes of a line
PIECE = 2_500  # lines
MOST = 1_000  # pieces: 200 MB
MIDDLE = 6_250  # a line that has many before and after it
NODES = 40_000  # of the document, whatever was looked at
HEAP = 60 << 20  # bytes


def numbered(begin: int, end: int) -> bytes:
    return b"".join(b"%010d %s\n" % (n, b"x" * (WIDTH - 12)) for n in range(begin, end))


def large(execution: Execution, pieces: int) -> StepAttempt:
    first = attempt(execution)
    for piece in range(pieces):
        more(execution, first, piece)
    return first


def more(execution: Execution, to: StepAttempt, piece: int) -> None:
    data = numbered(piece * PIECE, (piece + 1) * PIECE)
    write(execution, to, piece * PIECE * WIDTH, data)


def used(page: Page) -> dict[str, float]:
    """What the tab needs, after everything that is not needed any more is gone."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("HeapProfiler.collectGarbage")
    metrics = session.send("Performance.getMetrics")["metrics"]
    return {metric["name"]: metric["value"] for metric in metrics}


def first_number(page: Page) -> int:
    return int(first_line(page).split()[0])


def opening(page: Page, execution: Execution) -> float:
    """Seconds until the page is there. Once before: what follows is not the server's first page."""
    open_page(page, execution)
    began = time.monotonic()
    page.goto(f"/executions/{execution.pk}/")
    return time.monotonic() - began


@pytest.mark.parametrize("pieces", [4, pytest.param(MOST, marks=pytest.mark.faults)])
def test_an_output_of_many_megabytes(
    page: Page, scene: Scene, execution: Execution, pieces: int
) -> None:
    other = scene.start()
    write(other, attempt(other), 0, numbered(0, 10))
    usual = opening(page, other)
    first = large(execution, pieces)
    # A second where there is time, which only the long form may count on.
    assert opening(page, execution) < (max(1, 3 * usual) if pieces == MOST else max(5, 10 * usual))
    last = pieces * PIECE - 1
    assert at_end(page) and last_line(page).startswith(f"{last:010d}")
    field = page.get_by_role("searchbox")
    field.fill(f"{MIDDLE:010d}")
    field.press("Enter")
    expect(page.locator("#hits")).to_have_text("1 of 1 line")
    expect(page.locator("#at")).to_contain_text(f"{MIDDLE:010d}")
    assert first_number(page) == MIDDLE - 200
    for _ in range(4):
        before = first_number(page)
        page.locator("#earlier").click()
        until(lambda before=before: first_number(page) < before, what="older lines")
    new = max(4, pieces // 50)
    for piece in range(pieces, pieces + new):
        more(execution, first, piece)
    pill = page.locator("#pill")
    expect(pill).to_be_visible()
    pill.click()
    last += new * PIECE
    expect(page.locator("#lines li").last).to_have_text(f"{last:010d} {'x' * (WIDTH - 12)}")
    until(lambda: at_end(page))
    assert count(page) <= 5_000
    tab = used(page)
    assert tab["Nodes"] < NODES and tab["JSHeapUsedSize"] < HEAP, tab
