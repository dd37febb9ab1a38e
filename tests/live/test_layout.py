"""Nothing moves on a page that has been opened, by Chromium's own traces."""

import pytest
from playwright.sync_api import Browser, Page

from benchmarks.painting import painted
from cvdops.executions.models import Execution


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_nothing_moves_after_a_page_is_painted(
    width: int,
    height: int,
    browser: Browser,
    page: Page,
    execution: Execution,  # a row that could move
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    pages = ["/", "/runbooks/", "/executions/", f"/executions/{execution.pk}/"]
    moved = {address: painted(browser, page, address, wait=500).shift for address in pages}
    # A time that goes on may become a digit longer, and pushes the word behind it by as much.
    assert {address: shift for address, shift in moved.items() if shift >= 0.0005} == {}
