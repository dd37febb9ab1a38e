"""Nothing moves on a page that has been opened, by Chromium's own traces."""

import pytest
from playwright.sync_api import Browser

from benchmarks.painting import painted
from cvdops.executions.models import Execution
from tests.live.chromium import new_page
from tests.live.viewer import Visitor


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_nothing_moves_after_a_page_is_painted(
    width: int,
    height: int,
    browser: Browser,
    visitor: Visitor,
    execution: Execution,  # a row that could move
    errors: list[str],
) -> None:
    size = {"width": width, "height": height}
    page = new_page(browser, visitor, errors, viewport=size)
    pages = ["/", "/runbooks/", "/executions/", f"/executions/{execution.pk}/"]
    moved = {address: painted(browser, page, address, wait=500).shift for address in pages}
    page.context.close()
    # A time that goes on may become a digit longer, and pushes the word behind it by as much.
    assert {address: shift for address, shift in moved.items() if shift >= 0.0005} == {}
