"""The manager's day on a phone, and a start that is refused."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import launch, state

pytestmark = pytest.mark.e2e

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SCREEN_AND_A_HALF = 1266  # pixels

LogIn = Callable[..., Page]


def opened(page: Page, words: str) -> None:
    """Open the notice with these words, on the home page."""
    page.goto("/")
    row = page.locator("#news .list > div").filter(has_text=words)
    expect(row.first).to_be_visible()
    row.first.get_by_role("button", name="Open").click()


def test_a_manager_is_told_decides_and_sees_it_deployed(log_in: LogIn) -> None:
    engineer = log_in("devops-engineer")
    launch(engineer, "deployment", "deploy", TARGET_VERSION="v1.0.1")
    state(engineer, "Waiting")
    manager = log_in("operations-manager", **PHONE)
    manager.goto("/")
    expect(manager.locator("#waiting")).to_contain_text("Deployment")
    manager.locator("#waiting").get_by_role("link", name="Review").first.click()
    expect(manager).to_have_url(re.compile("/approvals/"))
    approve = manager.get_by_role("button", name="Approve", exact=True)
    box = approve.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= SCREEN_AND_A_HALF
    assert manager.evaluate("document.documentElement.scrollWidth") <= 390
    approve.click()
    expect(manager.locator("main")).to_contain_text("Approved")
    state(engineer, "Succeeded")


def test_a_refused_start_explains_itself_and_asks_those_who_may(log_in: LogIn) -> None:
    developer = log_in("developer", **PHONE)
    developer.goto("/runbooks/deployment/run/?procedure=deploy&environment=production")
    expect(developer.locator("#why-not")).to_contain_text("This needs Execute on deployment")
    developer.locator("#help summary").click()
    developer.fill("#help-note", "The kiosks in Oslo need the fix")
    developer.get_by_role("button", name="Ask them").click()
    expect(developer.locator("main")).to_contain_text("Asked:")
    lead = log_in("operations-lead", **PHONE)
    opened(lead, "The kiosks in Oslo need the fix")
    expect(lead).to_have_url(re.compile("/runbooks/deployment/run/"))
