"""Reading an output in a real browser: following, resting, going back, finding, pointing at lines."""

import re
from itertools import pairwise

from playwright.sync_api import Page, expect

from cvdops.executions.models import Execution, StepAttempt
from tests.live.chromium import (
    at_end,
    count,
    first_line,
    in_view,
    last_line,
    lines,
    open_page,
    top_line,
)
from tests.live.output import attempt, write
from tests.waiting import until

LINES = 6_000
TEXT = "".join(f"line {n:05d}{' needle' * (n % 1000 == 0)}\n" for n in range(1, LINES + 1)).encode()


def long(execution: Execution) -> StepAttempt:
    first = attempt(execution)
    for offset in range(0, len(TEXT), 60_000):
        write(execution, first, offset, TEXT[offset : offset + 60_000])
    return first


def scroll(page: Page, top: str) -> None:
    page.locator("#lines").evaluate(f"e => {{ e.scrollTop = {top} }}")


def test_older_lines_come_when_somebody_scrolls_to_them(page: Page, execution: Execution) -> None:
    long(execution)
    open_page(page, execution)
    assert at_end(page)
    while (first := first_line(page)) != "line 00001":
        scroll(page, "300")
        before = top_line(page)
        until(lambda first=first: first_line(page) != first, what="older lines")
        assert top_line(page) == before, "the lines in view have moved"
        assert count(page) <= 5_000
    scroll(page, "0")
    expect(page.locator("#count")).to_have_text(
        "67 kB"
    )  # no count that changes with where one reads
    while (last := last_line(page)) != f"line {LINES:05d} needle":
        scroll(page, "e.scrollHeight")
        until(lambda last=last: last_line(page) != last, what="newer lines")
    shown = [int(line[5:10]) for line in lines(page)]
    assert shown == list(range(shown[0], LINES + 1)), "a gap, or a line twice"
    expect(page.locator("#count")).to_have_text("6,000 lines")


def test_lines_that_are_asked_for_come_beside_those_in_view(
    page: Page, execution: Execution
) -> None:
    long(execution)
    open_page(page, execution)
    for link, edge in (("#earlier", first_line), ("#earlier", first_line), ("#later", last_line)):
        before = edge(page)
        page.locator(link).click(position={"x": 24, "y": 12})
        until(lambda edge=edge, before=before: edge(page) != before, what="more lines")
        assert in_view(page.get_by_text(before, exact=True))
    assert first_line(page) == "line 01001", "what is trimmed is at the other end"


def test_who_reads_is_not_pulled_away(page: Page, execution: Execution) -> None:
    first = long(execution)
    open_page(page, execution)
    scroll(page, "e.scrollHeight - 3000")
    expect(page.locator("#tail")).to_have_attribute("aria-pressed", "false")
    before = top_line(page)
    write(execution, first, len(TEXT), b"one more\nand another\n")
    pill = page.locator("#pill")
    expect(pill).to_have_text("2 new lines ↓")
    assert top_line(page) == before
    pill.click()
    expect(pill).to_be_hidden()
    expect(page.locator("#tail")).to_have_attribute("aria-pressed", "true")
    assert at_end(page) and lines(page)[-1] == "and another"


def test_a_flood_can_be_scrolled_back(page: Page, execution: Execution) -> None:
    first = attempt(execution)
    open_page(page, execution)
    block = b"".join(b"%07d\n" % n for n in range(10_000))
    for number in range(4):
        write(execution, first, number * len(block), block)
    expect(page.locator("#lines li").last).to_have_text("0009999")
    until(lambda: at_end(page) and count(page) <= 5_000)
    page.locator("#earlier").click()
    until(lambda: last_line(page) != "0009999" or count(page) > 2_000)
    shown = [int(line) for line in lines(page)]
    assert all(b == (a + 1) % 10_000 for a, b in pairwise(shown))


def test_words_are_found_in_all_of_it_by_keyboard(page: Page, execution: Execution) -> None:
    first = long(execution)
    open_page(page, execution)
    field, told, marked = page.get_by_role("searchbox"), page.locator("#hits"), page.locator("#at")
    field.fill("Needle")
    field.press("Enter")
    expect(told).to_have_text("6 of 6 lines")
    field.press("Enter")
    expect(told).to_have_text("1 of 6 lines")
    expect(marked).to_have_text("line 01000 needle")
    assert in_view(marked)
    assert page.evaluate("CSS.highlights.get('found').size") == 1
    field.press("Enter")
    expect(marked).to_have_text("line 02000 needle")
    field.press("Shift+Enter")
    expect(marked).to_have_text("line 01000 needle")
    page.get_by_role("link", name="Previous line found").click()
    expect(told).to_have_text("6 of 6 lines")
    expect(page.locator("#reached output")).to_have_text("as far as line 6,000")
    write(execution, first, len(TEXT), b"another needle\n")
    page.get_by_role("button", name="Look again").click()
    expect(told).to_have_text("6 of 7 lines")
    expect(page.locator("#reached output")).to_have_text("as far as line 6,001")
    field.fill("nowhere")
    field.press("Enter")
    expect(told).to_have_text("Not found")
    field.press("Escape")
    expect(field).to_have_value("")
    expect(told).to_be_empty()
    expect(page.locator("#reached")).to_be_hidden()


def test_a_line_has_an_address(page: Page, execution: Execution) -> None:
    long(execution)
    open_page(page, execution)
    scroll(page, "e.scrollHeight - 3000")
    line = page.locator("#lines li", has_text="line 05900")
    line.scroll_into_view_if_needed()
    line.click(position={"x": 300, "y": 8})
    expect(line).to_have_id("at")
    assert f"at={TEXT.index(b'line 05900')}" in page.url
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Link").click()
    until(lambda: page.evaluate("navigator.clipboard.readText()") == page.url)
    page.reload()
    expect(page.locator("#at")).to_have_text("line 05900")
    assert in_view(page.locator("#at"))
    expect(page.locator("#tail")).to_have_attribute("aria-pressed", "false")


def test_times_are_shown_on_demand_and_copies_leave_them_out(
    page: Page, execution: Execution
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    first = attempt(execution)
    write(execution, first, 0, b"one\n")
    open_page(page, execution)
    page.get_by_role("button", name="Times").click()
    time = re.compile(r"^\d\d:\d\d:\d\d\.\d$")
    expect(page.locator("#lines li").first).to_have_attribute("data-t", time)
    write(execution, first, 4, b"two\n")
    expect(page.locator("#lines li")).to_have_count(2)
    expect(page.locator("#lines li").last).to_have_attribute("data-t", time)
    expect(page.locator("#lines li").last).to_have_css("padding-right", "112px")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "one\ntwo"
    page.get_by_role("button", name="Times").click()
    expect(page.locator("[data-t]")).to_have_count(0)
    expect(page.locator("#lines li").last).to_have_css("padding-right", "16px")
    page.get_by_role("button", name="Link").click()
    until(lambda: page.evaluate("navigator.clipboard.readText()").endswith("at=0#at"))
