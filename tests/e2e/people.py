"""What people do with their browsers."""

import re

from playwright.sync_api import Browser, Page, expect

PASSWORD = "cvdops-demo"

expect.set_options(timeout=60_000)


def log_in(browser: Browser, port: int, person: str, **options: object) -> Page:
    """A browser of their own, logged in."""
    page = opened(browser, port, **options)
    page.goto("/login/")
    page.fill("[name=username]", person)
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")
    return page


def opened(browser: Browser, port: int, **options: object) -> Page:
    """A browser of nobody yet."""
    page = browser.new_context(base_url=f"http://localhost:{port}", **options).new_page()
    page.set_default_timeout(60_000)
    return page


def launch(page: Page, runbook: str, procedure: str, **variables: str) -> None:
    """Fill in the form as a person does, and press Start."""
    page.goto(f"/runbooks/{runbook}/run/?procedure={procedure}&environment=development")
    for name, value in variables.items():
        page.fill(f"[name='var-{name}']", value)
    for box in page.locator("input[type=checkbox][name=checklist]").all():
        box.check()
    page.fill("[name=reason]", "fixes the planogram export")
    page.get_by_role("button", name="Start").first.click()
    page.wait_for_url(re.compile(r"/executions/[0-9a-f-]{36}/"))


def state(page: Page, word: str, seconds: float = 120) -> None:
    """Wait for the state in the title, which moves without a reload."""
    expect(page).to_have_title(re.compile(word), timeout=seconds * 1000)


def approve(page: Page) -> None:
    """Open the newest request and approve it."""
    page.goto("/approvals/")
    page.locator("a[href^='/approvals/0']").first.click()
    page.get_by_role("button", name="Approve").click()
