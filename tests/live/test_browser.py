"""The script of the page in a real browser, against a real web server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from cvdops.executions import services
from cvdops.executions.models import Execution
from cvdops.web.live import hub as hubs
from tests.executions.scene import Scene
from tests.live.output import attempt, note, write
from tests.live.viewer import Visitor
from tests.waiting import until

expect.set_options(timeout=60_000)
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
BY_HAND = "#### Look\n- [ ] Nobody works\n- [ ] The log is quiet\n"


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
def page(visitor: Visitor, browser: Browser) -> Iterator[Page]:
    """Logged in as somebody who may assist. Every error of a script or of the CSP fails the test."""
    errors: list[str] = []
    context = browser.new_context(base_url=f"http://127.0.0.1:{visitor.port}")
    context.add_cookies(
        [{"name": "sessionid", "value": visitor.session, "url": f"http://127.0.0.1:{visitor.port}"}]
    )
    made = context.new_page()
    made.on("pageerror", lambda error: errors.append(str(error)))
    wrong = lambda m: m.type == "error" and "409" not in m.text  # noqa: E731 — a conflict is an answer
    made.on("console", lambda m: errors.append(m.text) if wrong(m) else None)
    yield made
    context.close()
    assert errors == []


def viewers() -> int:
    """How many streams are open in this process."""
    return sum(pump.viewers for hub in hubs._hubs.values() for pump in hub._pumps.values())


def lines(page: Page) -> list[str]:
    return page.locator("#lines li").all_inner_texts()


def open_page(page: Page, execution: Execution) -> None:
    page.goto(f"/executions/{execution.pk}/")
    expect(page.locator("#badge")).to_have_text("live")


def test_output_appears_and_open_lines_are_completed(page: Page, execution: Execution) -> None:
    first = attempt(execution)
    write(execution, first, 0, b"one\ntw")
    open_page(page, execution)
    write(execution, first, 6, b"o\n\x1b[31mred\x1b[0m\n")
    expect(page.locator("#lines li")).to_have_text(["one", "two", "red"])
    expect(page.locator("#lines .t-f1")).to_have_text("red")
    expect(page.locator("#count")).to_have_text("3 lines")


def test_a_half_typed_word_and_the_focus_survive_a_change(page: Page, scene: Scene) -> None:
    scene.runbook(BY_HAND)
    execution = scene.run()
    open_page(page, execution)
    field = page.locator("#note-text")
    field.type("half a wo")
    note(execution, "the log is quiet")
    expect(page.locator("[data-part=notes]")).to_contain_text("the log is quiet")
    expect(field).to_be_focused()
    expect(field).to_have_value("half a wo")


def test_viewers_that_are_sent_away_come_back_without_gap(page: Page, execution: Execution) -> None:
    first = attempt(execution)
    write(execution, first, 0, b"one\n")
    open_page(page, execution)
    for loop, hub in list(hubs._hubs.items()):
        if not loop.is_closed():
            loop.call_soon_threadsafe(hub.drain)
    write(execution, first, 4, b"two\n")
    write(execution, first, 8, b"three\n")
    expect(page.locator("#lines li")).to_have_text(["one", "two", "three"])


def test_a_page_that_nobody_sees_holds_no_stream(page: Page, execution: Execution) -> None:
    first = attempt(execution)
    open_page(page, execution)
    assert viewers() == 1
    page.evaluate(HIDE, True)
    until(lambda: viewers() == 0, what="the stream closed")
    write(execution, first, 0, b"meanwhile\n")
    page.evaluate(HIDE, False)
    expect(page.locator("#lines li")).to_have_text(["meanwhile"])
    assert viewers() == 1


def test_a_flood_is_cut_and_said_so(page: Page, execution: Execution) -> None:
    first = attempt(execution)
    open_page(page, execution)
    block = b"".join(b"%07d\n" % n for n in range(100_000))
    for number in range(4):
        write(execution, first, number * len(block), block)
    expect(page.locator("#lines li.gap").first).to_contain_text("went by too fast")
    expect(page.locator("#lines li").last).to_have_text("0099999")
    assert len(lines(page)) <= 5_000


def test_ticked_boxes_are_not_swapped_away(page: Page, scene: Scene) -> None:
    scene.runbook(BY_HAND)
    execution = scene.run()
    open_page(page, execution)
    page.get_by_label("The log is quiet").check()
    step = execution.steps.get()
    services.confirm(scene.person("operations-lead"), execution.pk, step.pk, [0])
    expect(page.locator("#changed")).to_be_visible()
    assert page.get_by_label("The log is quiet").is_checked()
    page.get_by_role("button", name="Show what there is to do now").click()
    expect(page.get_by_label("Nobody works")).to_have_count(0)


def test_what_was_written_stays_when_somebody_was_first(page: Page, scene: Scene) -> None:
    scene.runbook(BY_HAND)
    execution = scene.run()
    open_page(page, execution)
    page.get_by_label("The log is quiet").check()
    page.get_by_label("What you saw").fill("nothing since 02:06")
    services.confirm(scene.person("operations-lead"), execution.pk, execution.steps.get().pk, [1])
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("#notices")).to_contain_text("was first")
    expect(page.locator("#notices textarea")).to_have_value("nothing since 02:06")
    expect(page.get_by_label("What you saw")).to_have_value("nothing since 02:06")


def test_the_page_follows_to_the_end(page: Page, scene: Scene, execution: Execution) -> None:
    open_page(page, execution)
    scene.advance(execution)
    expect(page).to_have_title("Succeeded: Trial #" + str(execution.number))
    expect(page.locator("#badge")).to_have_text("finished")
    expect(page.locator("#panel h2")).to_have_text("Second")
    expect(page.locator("#lines li")).to_have_text(["two"])
    until(lambda: viewers() == 0)
