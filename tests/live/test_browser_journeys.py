"""What befalls a page that is open for long: networks, sleeps, restarts, other tabs, other people."""

import re
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db.models.functions import Now
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings

from cvdops.executions.models import Execution
from tests.executions.scene import Scene
from tests.faults.portal import Web, session
from tests.live.chromium import HIDE, SHIFTS, lines, new_page, open_page
from tests.live.output import attempt, note, write
from tests.live.viewer import Visitor
from tests.proxy import Proxy
from tests.waiting import until

GATE = "#### Gate\n```approval {#gate}\napprovers: [operations-manager]\n```\n"
AFTER = "#### After\n```bash {#after}\necho went on\n```\n"
BY_HAND = "#### Look\n- [ ] Nobody works\n- [ ] The log is quiet\n"

COLOUR = "element => getComputedStyle(element).color"

# How live the page has said that it is
SAID = """() => { window.said = []; const badge = document.getElementById("badge"); new MutationObserver(
  () => window.said.push(badge.dataset.mode)).observe(badge, { attributeFilter: ["data-mode"] }); }"""

# When each line is there, in milliseconds since 1970
SEEN = """() => { window.seen = []; new MutationObserver(() => window.seen.push(Date.now()))
  .observe(document.getElementById("lines"), { childList: true }); }"""


@pytest.fixture
def proxy(visitor: Visitor) -> Iterator[Proxy]:
    """What stands between the browser and the server."""
    made = Proxy(visitor.port)
    yield made
    made.close()


@pytest.fixture
def far(proxy: Proxy, visitor: Visitor, browser: Browser, errors: list[str]) -> Iterator[Page]:
    """A page that is reached through the proxy."""
    made = new_page(browser, visitor, errors, proxy.port)
    yield made
    made.context.close()


def counted(execution: Execution, first: object, begin: int, end: int) -> None:
    """Lines with these numbers, each a piece of its own; each number has five digits."""
    for number in range(begin, end):
        write(execution, first, number * 6, b"%05d\n" % number)


def all_of_them(page: Page, end: int) -> None:
    expect(page.locator("#lines li").last).to_have_text(f"{end - 1:05d}")
    assert lines(page) == [f"{number:05d}" for number in range(end)]


@pytest.mark.parametrize("seconds", [1, pytest.param(60, marks=pytest.mark.faults)])
def test_a_network_that_is_away_leaves_no_gap(
    far: Page, proxy: Proxy, execution: Execution, seconds: int
) -> None:
    first = attempt(execution)
    counted(execution, first, 0, 20)
    open_page(far, execution)
    proxy.cut(refuse=True)
    counted(execution, first, 20, 40)
    expect(far.locator("#badge")).to_have_text(re.compile("catching up|polling|stale"))
    time.sleep(seconds)  # that is how long the network is away
    proxy.mend()
    counted(execution, first, 40, 50)
    all_of_them(far, 50)
    expect(far.locator("#badge")).to_have_text("live")


def test_a_connection_that_died_in_a_sleep_is_made_anew(
    far: Page, proxy: Proxy, execution: Execution, errors: list[str]
) -> None:
    first = attempt(execution)
    execution.steps.filter(key="first").update(state="running", started_at=Now())
    far.clock.install()
    open_page(far, execution)
    word = far.locator(".rail .end .tone-run")
    running = word.evaluate(COLOUR)
    proxy.freeze()  # nothing comes any more, and nobody is told
    counted(execution, first, 0, 20)
    far.clock.fast_forward(15_000)
    expect(far.locator("#badge")).to_have_text(re.compile(r"stale since \d\d s"))
    expect(far).to_have_title(re.compile("^Stale: Trial"))
    assert word.evaluate(COLOUR) != running  # no row goes on looking alive
    far.evaluate(SAID)
    proxy.cut(refuse=True)
    far.evaluate("htmx.ajax('GET', '/find/', '#palette-found').catch(() => {})")
    lost = far.locator("#notices [data-lost]")
    expect(lost).to_be_attached()
    far.locator("#note-text").fill("it hangs")
    far.get_by_role("button", name="Add the note").click()
    unanswered = far.get_by_role("alert").filter(has_text="“Add the note” was not answered")
    expect(unanswered).to_contain_text("not tried again by itself")
    far.clock.fast_forward(20_000)  # it tries again meanwhile, and that is no news
    expect(far.locator("#badge")).to_have_text(re.compile(r"stale since (3[5-9]|[4-9]\d) s"))
    assert set(far.evaluate("window.said")) == {"stale"}
    proxy.mend()
    proxy.thaw()
    far.clock.fast_forward(15_000)
    all_of_them(far, 20)
    expect(far.locator("#badge")).to_have_text("live")
    expect(lost).to_have_count(0)
    far.get_by_role("button", name="Add the note").click()
    expect(far.locator("[data-part=notes]")).to_contain_text("it hangs")
    expect(unanswered).to_have_count(0)
    errors[:] = [one for one in errors if not one.startswith("htmx:")]  # which names what it missed


def test_without_redis_the_page_polls_and_says_so(
    impatient: None, settings: Settings, page: Page, execution: Execution
) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    first = attempt(execution)
    page.goto(f"/executions/{execution.pk}/")
    expect(page.locator("#badge")).to_have_text("polling")
    counted(execution, first, 0, 10)
    all_of_them(page, 10)


# The long form tells how quick it is on a machine that has time.
@pytest.mark.parametrize("most", [10, pytest.param(0.1, marks=pytest.mark.faults)])
def test_output_appears_at_once(page: Page, execution: Execution, most: float) -> None:
    first, stored = attempt(execution), []
    open_page(page, execution)
    page.evaluate(SEEN)
    for number in range(20):
        counted(execution, first, number, number + 1)
        stored.append(time.time())
        expect(page.locator("#lines li").last).to_have_text(f"{number:05d}")
    seen = [at / 1000 for at in page.evaluate("window.seen")]
    assert statistics.median(b - a for a, b in zip(stored, seen, strict=True)) < most


def test_a_tab_that_nobody_sees_tells_the_state(
    browser: Browser, visitor: Visitor, scene: Scene, execution: Execution, errors: list[str]
) -> None:
    page = new_page(browser, visitor, errors)
    try:
        page.clock.install()
        open_page(page, execution)
        page.evaluate(HIDE, True)
        scene.advance(execution)
        page.clock.fast_forward(21_000)
        expect(page).to_have_title(f"Succeeded: Trial #{execution.number}")
        icon = page.locator("link[rel=icon]")
        expect(icon).to_have_attribute("href", re.compile("state-ok"))
    finally:
        page.context.close()


def test_a_server_that_is_restarted_loses_nobody(
    browser: Browser, scene: Scene, execution: Execution, errors: list[str], tmp_path: Path
) -> None:
    server = Web(tmp_path)
    server.start()
    visitor = server.visit(scene.person("system-admin"))
    page = new_page(browser, visitor, errors)
    try:
        first = attempt(execution)
        counted(execution, first, 0, 10)
        open_page(page, execution)
        server.stop()
        counted(execution, first, 10, 20)
        server.start()
        counted(execution, first, 20, 30)
        all_of_them(page, 30)
        expect(page.locator("#badge")).to_have_text("live")
    finally:
        page.context.close()
        server.stop()


def test_a_reload_and_a_second_tab_show_the_same(page: Page, execution: Execution) -> None:
    first = attempt(execution)
    counted(execution, first, 0, 10)
    open_page(page, execution)
    second = page.context.new_page()
    open_page(second, execution)
    page.reload()
    counted(execution, first, 10, 20)
    for tab in (page, second):
        all_of_them(tab, 20)
    second.close()
    counted(execution, first, 20, 30)
    all_of_them(page, 30)


@pytest.mark.usefixtures("impatient")
def test_two_operators_and_a_manager_see_the_same(
    browser: Browser, server: int, scene: Scene, errors: list[str]
) -> None:
    scene.runbook(GATE + AFTER)
    execution = scene.run()
    roles = ("devops-engineer", "system-admin", "operations-manager")
    visitors = [Visitor(server, session(scene.person(role))) for role in roles]
    pages = [new_page(browser, visitor, errors) for visitor in visitors]
    try:
        for one in pages:
            open_page(one, execution)
            expect(one).to_have_title(re.compile("Waiting"))
        engineer, _, manager = pages
        assert engineer.locator("#desk").get_attribute("data-needs") == ""
        assert manager.locator("#desk").get_attribute("data-needs") == "Your decision: Gate"
        here = ", ".join(sorted(scene.person(role).name for role in roles))
        expect(engineer.locator("[data-part=watching]")).to_have_text(f"Looking at it now: {here}")
        manager.get_by_role("link", name="Review and decide").click()
        second, late = (manager.context.new_page() for _ in range(2))
        late.route("**/events/**", lambda route: route.abort())
        for tab in (second, late):
            tab.set_viewport_size({"width": 390, "height": 844})
            tab.goto(manager.url)
        late.get_by_label("Comment").fill("Not tonight")
        expect(second.locator("#waiting-count")).to_contain_text("1")
        expect(second.locator("#badge")).to_have_text("live")
        manager.get_by_role("button", name="Approve", exact=True).click()
        expect(manager.locator("main")).to_contain_text("Approved")
        expect(second.locator("#asked")).to_contain_text("Approved")
        for gone in (".gate", "#desk form", "#waiting-count:not([hidden])", "text=expires in"):
            expect(second.locator(gone)).to_have_count(0)
        late.get_by_role("button", name="Reject").click()
        expect(late.locator("#answer")).to_contain_text("Not tonight")
        expect(late.locator("#answer")).to_be_focused()
        expect(late.locator("#answer")).to_be_in_viewport(ratio=1)
        manager.goto(f"/executions/{execution.pk}/")
        scene.advance(execution)
        for one in pages:
            expect(one).to_have_title(re.compile("Succeeded"))
            expect(one.locator("#lines li")).to_have_text(["went on"])
        rails = {one.locator("[data-part=rail]").inner_text() for one in pages}
        assert len(rails) == 1
    finally:
        for one in pages:
            one.context.close()


def test_a_note_is_typed_while_everything_moves(page: Page, execution: Execution) -> None:
    first = attempt(execution)
    open_page(page, execution)
    field, text = page.locator("#note-text"), "the kiosks in Oslo are back"
    page.locator("details:has(> [data-part=timeline]) > summary").click()
    field.focus()
    for number, letter in enumerate(text):
        page.keyboard.type(letter)
        counted(execution, first, number, number + 1)
        if number % 9 == 0:
            note(execution, f"note {number}")
    all_of_them(page, len(text))
    expect(page.locator("[data-part=notes]")).to_contain_text("note 18")
    expect(field).to_be_focused()
    expect(field).to_have_value(text)
    expect(page.locator("[data-part=timeline]")).to_be_visible()
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("[data-part=notes]")).to_contain_text(text)
    expect(field).to_have_value("")


def test_output_and_times_that_go_on_move_nothing_else(page: Page, execution: Execution) -> None:
    first = attempt(execution)
    counted(execution, first, 0, 100)
    open_page(page, execution)
    page.evaluate(SHIFTS)
    counted(execution, first, 100, 160)
    all_of_them(page, 160)
    assert sum(page.evaluate("window.shifts")) < 0.001
    page.evaluate("document.querySelector('.exec-top').style.height = '400px'")
    until(lambda: page.evaluate("window.shifts.length"))  # one that is there is seen


def test_all_of_it_by_keyboard(page: Page, scene: Scene) -> None:
    scene.runbook(BY_HAND)
    execution = scene.run()
    open_page(page, execution)

    def tab_to(selector: str) -> None:
        for _ in range(90):
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"no way to {selector} by keyboard")

    tab_to(".rail a")
    page.keyboard.press("Enter")
    expect(page.locator("#heading")).to_be_focused()
    for item in ("0", "1"):
        tab_to(f"input[name=items][value='{item}']")
        page.keyboard.press("Space")
    tab_to("#desk textarea")
    page.keyboard.type("seen at the desk")
    tab_to("#desk button[type=submit]")
    page.keyboard.press("Enter")
    expect(page.locator("#desk input[name=items]")).to_have_count(0)
    expect(page.locator("#heading")).to_be_focused()  # nothing took the place of the card
    scene.advance(execution)
    expect(page).to_have_title(re.compile("Succeeded"))


def test_who_asked_for_it_is_told_outside_of_the_page(
    browser: Browser, server: int, scene: Scene, errors: list[str]
) -> None:
    scene.runbook(GATE)
    execution = scene.start()
    visitor = Visitor(server, session(scene.person("operations-manager")))
    page = new_page(browser, visitor, errors, permissions=["notifications"])
    page.add_init_script(
        """window.told = []; window.asked = 0; document.hasFocus = () => false;
           window.Notification = class { static permission = "granted";
             static async requestPermission() { window.asked += 1; return "granted" }
             constructor(title, options) { window.told.push([title, options.body]) } };"""
    )
    try:
        open_page(page, execution)
        assert page.evaluate("window.asked") == 0
        button = page.locator("#notify")
        expect(button).to_have_attribute("aria-pressed", "false")
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        expect(button).to_have_accessible_name("Tells you when it needs you")
        scene.advance(execution)
        expect(page.locator("#desk")).to_have_attribute("data-needs", "Your decision: Gate")
        title = f"Trial #{execution.number}"
        until(lambda: page.evaluate("window.told.length"), what="a notification")
        assert page.evaluate("window.told") == [[title, "Your decision: Gate"]]
    finally:
        page.context.close()


def test_on_a_phone_the_running_step_and_its_output_come_first(
    browser: Browser, visitor: Visitor, execution: Execution, errors: list[str]
) -> None:
    counted(execution, attempt(execution), 0, 50)
    size = {"width": 390, "height": 844}
    page = new_page(browser, visitor, errors, viewport=size, has_touch=True, is_mobile=True)
    try:
        open_page(page, execution)
        expect(page.locator(".rail summary")).to_contain_text("Step 1 of 2")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        panel, output, people = (
            page.locator(name).bounding_box() for name in ("#heading", "#lines", "#people")
        )
        assert panel and output and people
        newest = page.locator("#lines li").last.bounding_box()
        assert panel["y"] < output["y"] < people["y"] and newest
        assert newest["y"] + newest["height"] < 844 - page.locator(".nav").bounding_box()["height"]
    finally:
        page.context.close()


def test_on_a_phone_the_buttons_of_a_failed_step_are_one_press_away(
    page: Page, scene: Scene
) -> None:
    scene.runbook("#### Fail\n```bash {#fail}\nseq 300; false\n```\n")
    execution = scene.start()
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, execution)
    scene.advance(execution)
    retry = page.locator("#desk summary", has_text="Retry")
    expect(retry).to_be_attached()
    page.evaluate("scrollTo(0, 0)")
    expect(retry).not_to_be_in_viewport()
    page.get_by_role("link", name="Decide").click()
    expect(retry).to_be_in_viewport(ratio=1)


def test_the_newest_line_and_how_live_it_is_are_in_view(page: Page, execution: Execution) -> None:
    counted(execution, attempt(execution), 0, 200)
    page.set_viewport_size({"width": 1440, "height": 900})
    open_page(page, execution)
    expect(page.locator("#lines li").last).to_be_in_viewport(ratio=1)
    page.mouse.wheel(0, 10_000)
    expect(page.locator(".exec-side .card").last).to_be_in_viewport()
    expect(page.locator("#badge")).to_be_in_viewport(ratio=1)
    # Who looks alone is not told of themselves.
    expect(page.locator("[data-part=watching]")).to_have_text("")


def test_without_the_script_the_page_is_true_and_forms_work(
    browser: Browser, visitor: Visitor, scene: Scene, errors: list[str]
) -> None:
    text = "".join(f"line {n:04d}\n" for n in range(3_000)).encode()
    scene.runbook("#### Write\n```bash {#write}\ntrue\n```\n" + BY_HAND)
    execution = scene.run()
    execution.steps.get(key="write").attempts.all().delete()
    write(execution, attempt(execution, "write"), 0, text)
    page = new_page(browser, visitor, errors, java_script_enabled=False)
    try:
        page.goto(f"/executions/{execution.pk}/?step=write")
        badge = page.locator("#badge")
        expect(badge).to_have_text("not live: reload to update", use_inner_text=True)
        expect(page.locator("#lines li").last).to_have_text("line 2999")
        page.get_by_role("link", name="Older lines").click()
        expect(page.locator("#lines li").first).to_have_text("line 0000")
        page.get_by_role("searchbox").fill("line 1")
        page.get_by_role("searchbox").press("Enter")
        expect(page.locator("#hits")).to_have_text("1,000 of 1,000 lines")
        page.get_by_role("link", name="Previous line found").click()
        expect(page.locator("#at")).to_have_text("line 1998")
        page.get_by_role("link", name="Times").click()
        expect(page.locator("#lines li[data-t]").first).to_be_visible()
        page.get_by_label("The log is quiet").check()
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_label("The log is quiet")).to_have_count(0)
        page.fill("#note-text", "by hand")
        page.get_by_role("button", name="Add the note").click()
        expect(page.locator("[data-part=notes]")).to_contain_text("by hand")
    finally:
        page.context.close()
