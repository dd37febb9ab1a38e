"""The script of the page in a real browser, against a real web server."""

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from cvdops.environments.models import Period
from cvdops.executions import services
from cvdops.executions.models import Execution
from cvdops.live import hub as hubs
from tests.executions.scene import Scene
from tests.faults.portal import session
from tests.live.chromium import HIDE, log_in, open_page
from tests.live.output import attempt, note, write
from tests.live.viewer import Visitor
from tests.waiting import until

NAMED = 'variables: {NAME: {required: true, pattern: "[a-z]+"}}\n'
BY_HAND = "#### Look\n- [ ] Nobody works\n- [ ] The log is quiet\n"


def viewers() -> int:
    """How many streams are open in this process."""
    return sum(pump.viewers for hub in hubs._hubs.values() for pump in hub._pumps.values())


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


def test_a_value_is_checked_while_it_is_typed(page: Page, scene: Scene) -> None:
    scene.runbook('#### Say\n```bash {#say}\necho "$NAME"\n```\n', extra=NAMED)
    page.goto("/runbooks/trial/run/?procedure=do-it")
    field, error = page.locator("#var-NAME"), page.locator("#var-NAME-error")
    field.type("BAD")
    expect(error).to_contain_text("NAME has to")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    field.type("x")
    field.fill("good")
    expect(error).to_be_hidden()
    expect(field).not_to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("good")
    expect(page.locator("#plan")).to_contain_text("good")


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
    confirm, changed = page.get_by_role("button", name="Confirm"), page.locator("#changed")
    place = confirm.bounding_box()
    expect(changed).to_be_visible()
    assert confirm.bounding_box() == place  # it lies over the page, and moves no button
    changed.get_by_role("button", name="Put away").click()
    expect(changed).to_be_hidden()
    confirm.click()
    expect(page.locator("#notices")).to_contain_text("was first")
    expect(page.locator("#notices textarea")).to_have_value("nothing since 02:06")
    expect(page.get_by_label("What you saw")).to_have_value("nothing since 02:06")


def test_the_page_follows_to_the_end(page: Page, scene: Scene, execution: Execution) -> None:
    open_page(page, execution)
    scene.advance(execution)
    expect(page).to_have_title("Succeeded: Trial #" + str(execution.number))
    expect(page.locator("#badge")).to_have_text("finished")
    expect(page.locator("#heading h2")).to_have_text("Second")
    expect(page.locator("#lines li")).to_have_text(["two"])
    until(lambda: viewers() == 0)


def test_when_it_begins_is_told_by_the_readers_clock_after_a_change_too(
    page: Page, execution: Execution
) -> None:
    open_page(page, execution)
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    opens = (datetime.now(UTC) + timedelta(days=30)).replace(hour=18, minute=0)
    opens = opens.replace(second=0, microsecond=0)
    Period.objects.create(
        environment_id="development", kind="window", name="One", starts_at=opens, minutes=60
    )
    Execution.objects.filter(pk=execution.pk).update(opens_at=opens)
    note(execution, "the window is agreed")
    head = page.locator("[data-part=head] time:not([data-local])")
    expect(head).to_have_text(
        f"{opens:%a %d %b %Y} 18:00 UTC ({opens + timedelta(hours=9):%a} 03:00 GMT+9)"
    )
    session.detach()


def test_a_field_that_was_made_larger_breaks_no_rule_when_it_is_replaced(
    page: Page, execution: Execution
) -> None:
    open_page(page, execution)
    page.locator("#note-text").evaluate("field => { field.style.height = '150px' }")
    page.locator("#note-text").fill("seen")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("[data-part=notes]")).to_contain_text("seen")
    expect(page.locator("#note-text")).to_have_value("")
    expect(page.get_by_role("button", name="Add the note")).to_be_focused()


def test_what_is_wrong_with_a_form_is_said_in_it_and_is_over_with_the_next_press(
    page: Page, scene: Scene
) -> None:
    scene.runbook(BY_HAND)
    open_page(page, scene.run())
    page.get_by_label("What you saw").fill("it rains")
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("#desk form [role=alert]")).to_have_text(re.compile("at least one item"))
    expect(page.locator("#desk .refusal")).to_be_focused()
    expect(page.locator("#notices")).to_be_empty()
    expect(page.locator("textarea", has_text="it rains")).to_have_count(0)
    expect(page.get_by_label("What you saw")).to_have_value("it rains")
    page.get_by_label("Nobody works").check()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_label("Nobody works")).to_have_count(0)
    expect(page.locator("[role=alert]")).to_have_count(0)


def test_a_panel_in_which_nobody_has_written_holds_nothing_back(
    page: Page, server: int, scene: Scene, execution: Execution
) -> None:
    log_in(page, Visitor(server, session(scene.person("devops-engineer"))))
    open_page(page, execution)
    cancel = page.locator("#actions summary", has_text="Cancel")
    cancel.click()
    Execution.objects.filter(pk=execution.pk).update(state="paused")
    note(execution, "wait for the night shift")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel the execution")).to_be_visible()
    page.get_by_label("Comment, if you like").fill("a wo")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Cancel the execution")).to_be_hidden()
    expect(cancel).to_be_focused()
    page.get_by_role("button", name="Resume").press("Enter")
    expect(page.get_by_role("button", name="Pause")).to_be_focused()  # which took its place


def test_going_on_from_a_step_is_offered_as_soon_as_it_may_be(
    page: Page, server: int, scene: Scene, execution: Execution
) -> None:
    log_in(page, Visitor(server, session(scene.person("devops-engineer"))))
    open_page(page, execution, "?step=second")
    link, height = page.get_by_role("link", name="Go on from here…"), "heading.offsetHeight"
    expect(link).to_have_count(0)
    before = page.evaluate(height)
    Execution.objects.filter(pk=execution.pk).update(state="paused")
    note(execution, "wait for the night shift")
    expect(link).to_be_visible()
    assert page.evaluate(height) == before


def test_controls_that_could_not_be_fetched_are_fetched_again(
    page: Page, errors: list[str], scene: Scene
) -> None:
    scene.runbook(BY_HAND)
    execution = scene.start()
    open_page(page, execution)
    page.route("**/controls/**", lambda route: route.abort())
    scene.advance(execution)
    expect(page.locator("#notices [data-lost]")).to_be_visible()
    page.unroute("**/controls/**")
    expect(page.locator("#desk").get_by_role("button", name="Confirm")).to_be_visible()
    expect(page.locator("#notices [data-lost]")).to_have_count(0)
    errors[:] = [one for one in errors if not one.startswith("htmx:")]  # which names what it missed
