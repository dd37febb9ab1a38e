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

from tests.e2e.people import approve, launch, state
from tests.stack.launching import Launched

pytestmark = pytest.mark.e2e

LogIn = Callable[..., Page]


def health(system: Launched) -> dict[str, str]:
    port = (system.data / "run" / "practice-port").read_text()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
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


def test_a_release_is_approved_deployed_and_a_broken_one_rolled_back(
    log_in: LogIn, system: Launched
) -> None:
    engineer, manager = log_in("devops-engineer"), log_in("operations-manager")
    launch(engineer, "deployment", "deploy", TARGET_VERSION="v1.0.1")
    state(engineer, "Waiting")
    approve(manager)
    state(engineer, "Running|Succeeded", 2)  # the decision is seen within a second or so
    state(engineer, "Succeeded")
    assert health(system)["version"] == "v1.0.1"

    launch(engineer, "deployment", "deploy", TARGET_VERSION="v1.0.2")
    state(engineer, "Waiting")
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


def test_nobody_approves_what_they_asked_for(log_in: LogIn) -> None:
    page = log_in("devops-engineer")
    launch(page, "deployment", "deploy", TARGET_VERSION="v1.0.1")
    state(page, "Waiting")
    page.goto("/approvals/")
    page.locator("a[href^='/approvals/0']").first.click()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)


def test_a_killed_worker_loses_nothing(log_in: LogIn, system: Launched) -> None:
    page = log_in("devops-engineer")
    launch(page, "slow", "count")
    expect(page.locator(".term")).to_contain_text("line 3", timeout=20_000)
    os.kill(system.pid("worker"), signal.SIGKILL)
    state(page, "Succeeded")
    page.get_by_role("link", name=re.compile("Print a line a second")).first.click()
    expect(page.locator(".term")).to_contain_text("line 20")
    lines = re.findall(r"line \d+", page.locator(".term").inner_text())
    assert lines == [f"line {number}" for number in range(1, 21)]
