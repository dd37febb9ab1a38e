"""Nothing moves on a page by itself, by Chromium's own figures: not after it was opened, nor in a whole run."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.painting import painted
from cvdops.executions import queues, services
from cvdops.executions.models import Execution
from tests.executions.scene import Scene
from tests.live.chromium import SHIFTS, open_page

RUN = """
#### Write twelve lines
```bash {#write}
for n in $(seq 12); do echo "line $n"; sleep 0.02; done
```

#### Say nothing
```bash {#quiet}
true
```

#### Gate
```approval {#gate}
approvers: [operations-manager]
```

#### Stop the signs on the platforms of all stations, and the voices that announce the trains in their halls
```bash {#stop destructive rollback=begin}
echo stopped
```

#### Look
- [ ] Nobody works
- [ ] The log is quiet

#### Migrate
```bash {#migrate}
echo migrating; false
```
"""
BACK = "### Begin again\n```bash {#begin}\necho begun\n```\n"
SIZES = [(1280, 800), (390, 844)]


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


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_moves_by_itself_in_a_whole_run(
    width: int, height: int, page: Page, scene: Scene
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    scene.runbook(RUN, rollback=BACK)
    execution, engineer = scene.start(), scene.person("devops-engineer")

    def advance(shown: str) -> None:
        queues.seen("worker", [scene.environment.queue])
        scene.advance(execution)
        expect(page.locator(shown)).to_be_visible()

    queues.seen("worker", [scene.environment.queue])
    open_page(page, execution)
    page.evaluate(SHIFTS)
    advance("#desk .gate >> text=Approval: Gate")
    scene.approve(execution)
    advance("#desk .gate >> text=The log is quiet")
    services.confirm(engineer, execution.pk, execution.steps.get(state="waiting").pk, [0, 1])
    advance("#desk .danger")
    services.retry(engineer, execution.pk, execution.steps.get(key="migrate").pk)
    expect(page.locator("#desk .danger")).to_have_count(0)
    advance("#desk .danger")
    services.roll_back(engineer, execution.pk)
    advance("#heading >> text=Begin again")
    expect(page).to_have_title(re.compile("Rolled back"))
    expect(page.locator("#after .card")).to_be_visible()  # what is left to do after the end
    assert sum(page.evaluate("window.shifts")) <= 0.005, page.evaluate("window.moved")
