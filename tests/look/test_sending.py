"""The page of the API's calls, on which a call is sent."""

import pytest
from playwright.sync_api import Page, expect

from tests.look.walk import WIDE, Walk

pytestmark = pytest.mark.django_db
DOCS = "/api/v1/docs"


@pytest.fixture(scope="module")
def page(walk: Walk) -> Page:
    """Of somebody who is logged in for the server as well, which is another process."""
    return walk.page("operations-lead")


def send(page: Page, call: str) -> str:
    """What is shown below the form of this call when it was sent."""
    part = page.locator(f'details[id="{call}"]')
    part.locator("summary").click()
    part.get_by_role("button", name="Send").click()
    answer = part.locator("[data-answer]")
    expect(answer).to_contain_text("{")
    return str(answer.text_content())


@pytest.mark.parametrize("width", [390, pytest.param(1440, marks=pytest.mark.faults)])
def test_a_call_is_sent_and_its_answer_shown(width: int, walk: Walk, page: Page) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    walk.noticed.clear()
    page.goto(DOCS)
    assert page.title().startswith("API")
    assert send(page, "permissions.matrix").startswith("200\n")
    assert send(page, "catalog.lint").startswith("200\n")
    assert send(page, "holds.lift").startswith("404\n")
    assert page.evaluate(WIDE) == []
    assert walk.complaints == {}
    assert page.evaluate("window.blocked") == []
