"""The main job, as people do it: run, watch, approve, roll back, review; and a worker that dies."""

import json
import os
import re
import signal
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import hosts
from tests.e2e.people import approve, launch, state
from tests.sshd import ssh_server
from tests.stack.launching import Launched

pytestmark = pytest.mark.e2e

LogIn = Callable[..., Page]
FLAKY = """---
format: 1
id: flaky
version: 1.0.0
category: deployment
tools: [touch]
---
# Flaky

## Procedures

### Try {.procedure}

#### Prepare
```bash {#prepare}
echo prepared
```

#### Fail the first time
```bash {#fail}
test -e "$HOME/MARK" || { touch "$HOME/MARK"; exit 1; }
```
"""


def health(system: Launched) -> dict[str, str]:
    port = (system.data / "run" / "practice-port").read_text()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return {"status": str(error.code)}


def test_a_backup_is_watched_live_and_found_in_the_history(log_in: LogIn) -> None:
    page = log_in("devops-engineer")
    launch(page, "backup-restore", "backup-database")
    state(page, "Succeeded")
    page.goto("/executions/")
    page.locator("a[href^='/executions/0']").first.click()
    page.get_by_role("link", name=re.compile("Take the backup")).first.click()
    expect(page.locator(".term")).to_contain_text("Written: cvd_manual")


def test_a_broken_release_is_rolled_back_and_nobody_approves_their_own(
    log_in: LogIn, system: Launched
) -> None:
    """A good one is deployed by a manager on a phone, and by the script of the documentation."""
    engineer, manager = log_in("devops-engineer"), log_in("operations-manager")
    assert health(system)["version"] == "v1.0.1"
    launch(engineer, "deployment", "deploy", TARGET_VERSION="v1.0.2")
    state(engineer, "Waiting")
    engineer.goto("/approvals/")
    engineer.locator("a[href^='/approvals/0']").first.click()
    expect(engineer.locator("h1")).to_contain_text("Deployment")
    expect(engineer.get_by_role("button", name="Approve")).to_have_count(0)
    engineer.go_back()
    engineer.go_back()
    approve(manager)
    expect(engineer.get_by_role("button", name="Retry")).to_be_visible(timeout=60_000)
    assert health(system)["status"] == "500"
    engineer.get_by_text(re.compile("Roll back")).first.click()
    engineer.get_by_role("button", name=re.compile("Roll back")).last.click()
    state(engineer, "Rolled back")
    assert health(system)["version"] == "v1.0.1"
    database = system.data / "practice/opt/cvd/data/cvd.db"
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.faults  # until its lease has run out; tests/faults/test_kills has its short form
def test_a_killed_worker_loses_nothing(log_in: LogIn, system: Launched) -> None:
    page = log_in("devops-engineer")
    launch(page, "slow", "count")
    expect(page.locator(".term")).to_contain_text("line 3")
    os.kill(system.pid("worker"), signal.SIGKILL)
    state(page, "Succeeded")
    page.get_by_role("link", name=re.compile("Print two lines a second")).first.click()
    expect(page.locator(".term")).to_contain_text("line 20")
    lines = re.findall(r"line \d+", page.locator(".term").inner_text())
    assert lines == [f"line {number}" for number in range(1, 21)]


def test_a_host_is_added_and_tested_and_its_key_confirmed(log_in: LogIn, system: Launched) -> None:
    with ssh_server() as server:
        page = log_in("operations-lead")
        hosts.add(page, system, server, "web-1")
        hosts.tested(page, "Nobody has confirmed its key yet")
        expect(page.locator("#confirm-key")).to_contain_text(server.key.fingerprint)
        page.get_by_role("button", name="Confirm this key").click()
        expect(page.locator("#test")).to_contain_text("The login was accepted.")
        expect(page.get_by_role("button", name="Test again")).to_be_enabled()
        expect(page.locator("#confirm-key")).to_have_count(0)


def test_an_execution_goes_on_from_a_chosen_step(log_in: LogIn, system: Launched) -> None:
    mark = f"cvdops-{system.port}"
    document = FLAKY.replace("$HOME/MARK", f"{system.data}/{mark}")
    (system.data.parent / "runbooks" / "FLAKY.md").write_text(document)
    page = log_in("operations-lead")
    page.goto("/runbooks/")
    page.get_by_role("button", name="Sync now").click()
    expect(page.locator("#notices")).to_contain_text("FLAKY.md: added")
    launch(page, "flaky", "try")
    page.get_by_role("link", name="Go on from…").click()
    page.select_option("[name=step]", index=1)
    page.get_by_role("button", name="Show the plan").click()
    expect(page.locator("tbody")).to_contain_text(re.compile("runs again.*runs again", re.DOTALL))
    page.fill("[name=comment]", "the disk is mended")
    page.get_by_role("button", name="Go on from here").click()
    state(page, "Succeeded")


def test_a_dry_run_asks_the_hosts_in_place(log_in: LogIn) -> None:
    page = log_in("devops-engineer")
    page.goto("/runbooks/slow/run/?procedure=count&environment=development")
    page.get_by_role("button", name="Dry run").click()
    expect(page.locator("#dry-run")).to_contain_text("Nothing was started")
    expect(page.locator("#dry-run")).to_contain_text("practice")
    expect(page.locator("#dry-run [role=status] svg")).to_be_visible()
    expect(page.locator("#dry-run[hx-get]")).to_have_count(0)
