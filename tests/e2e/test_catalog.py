"""The catalog, as people use it: import a document, mend a broken runbook, run an earlier version."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SLOW
from tests.e2e.people import state

pytestmark = pytest.mark.e2e

LogIn = Callable[..., Page]
PLAIN = """# Restart the shop

## Procedures
### Phase 1: Stop
```bash
systemctl stop shop
```
"""


def test_a_document_is_imported_and_taken_along_annotated(log_in: LogIn, tmp_path: Path) -> None:
    page = log_in("developer")
    (tmp_path / "Shop Notes.md").write_text(PLAIN)
    page.goto("/runbooks/")
    page.get_by_role("link", name="Import a document").click()
    page.set_input_files("#file", tmp_path / "Shop Notes.md")
    page.get_by_role("button", name="Show how it is understood").click()
    page.get_by_role("link", name="Line 6").first.click()
    expect(page.locator("#L6")).to_be_in_viewport()
    for _ in range(2):  # a second download is not taken for a second press
        with page.expect_download() as download:
            page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "shop-notes.md"
    assert "id: shop-notes" in download.value.path().read_text()
    page.get_by_role("button", name="The annotated form").click()
    expect(page.locator("ins").first).to_be_visible()


@pytest.fixture(scope="module")
def file(folder: Path) -> Iterator[Path]:
    """Of a runbook of these tests alone: elsewhere none is broken."""
    file = folder / "runbooks" / "CHANGING.md"
    yield file
    file.unlink(missing_ok=True)


@pytest.fixture
def page(log_in: LogIn, file: Path) -> Page:
    """The runbook has a second version, and a third one that is broken."""
    page = log_in("devops-engineer")
    if not file.exists():
        first = SLOW.replace("id: slow", "id: changing").replace("# Slow", "# Changing")
        first = first.replace("seq 1 20", "seq 1 2")
        file.write_text(first)
        sync(page, "CHANGING.md: added")
        file.write_text(first.replace("1.0.0", "1.1.0").replace('echo "went on"', "sleep 60"))
        sync(page, "CHANGING.md: updated")
        file.write_text(first.replace("1.0.0", "1.2.0").replace("#count", "#go-on"))
        sync(page, "CHANGING.md: broken")
    return page


def sync(page: Page, said: str) -> None:
    page.goto("/runbooks/")
    page.get_by_role("button", name="Sync now").click()
    expect(page.locator("#notices")).to_contain_text(said)


def test_two_versions_are_chosen_and_compared(page: Page) -> None:
    page.goto("/runbooks/changing/")
    expect(page.locator(".notice.bad")).to_contain_text("What runs is version 1.1.0")
    page.get_by_role("link", name="All, and compare").click()
    page.locator("[name=from][value='1']").check()
    page.locator("[name=to][value='2']").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".changes").first).to_contain_text("the command")
    expect(page.locator("del").last).to_contain_text('echo "went on"')


def test_an_earlier_version_is_run_again(page: Page) -> None:
    page.goto("/runbooks/changing/versions/")
    page.get_by_role("link", name="Run version 1").click()
    notice = page.locator(".notice.wait:not(#changed)").first
    expect(notice).to_contain_text("version 1.0.0 (number 1), not the newest")
    for box in page.locator("input[type=checkbox][name=checklist]").all():
        box.check()
    page.fill("[name=reason]", "1.1.0 hangs")
    page.get_by_role("button", name="Start").first.click()
    page.wait_for_url(re.compile(r"/executions/[0-9a-f-]{36}/"))
    expect(notice).to_contain_text("because: 1.1.0 hangs")
    state(page, "Succeeded")
