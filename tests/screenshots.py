"""`python -m tests.screenshots [FOLDER]`: pictures of every page, in both sizes and both schemes."""

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from cvdops.stack.portal import PROJECT
from tests.e2e.conftest import ARGUMENTS, CHROMIUM, free_port
from tests.e2e.people import approve, launch, log_in, state
from tests.stack.launching import Launched

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
PAGES = {
    "home": "/",
    "runbooks": "/runbooks/",
    "runbook": "/runbooks/deployment/",
    "runbook-source": "/runbooks/deployment/?view=source",
    "versions": "/runbooks/deployment/versions/",
    "compare": "/runbooks/deployment/compare/",
    "rule": "/runbooks/rules/RB401/",
    "import": "/runbooks/import/",
    "launch": "/runbooks/deployment/run/?procedure=deploy&environment=development",
    "launch-production": "/runbooks/deployment/run/?procedure=deploy&environment=production",
    "executions": "/executions/",
    "approvals": "/approvals/",
    "permissions": "/permissions/",
    "environments": "/environments/",
    "contacts": "/contacts/",
    "not-found": "/nothing/",
}


@contextmanager
def system() -> Iterator[Launched]:
    with tempfile.TemporaryDirectory(prefix="cvdops-pictures-") as name:
        Path(name).chmod(0o711)
        launched = Launched(Path(name) / "data", free_port())
        try:
            yield launched.wait_ready()
        finally:
            launched.end()


def prepare(page: Page, manager: Page) -> dict[str, str]:
    """Something to see: what succeeded, what failed, and what waits for an approval."""
    found = {}
    launch(page, "backup-restore", "backup-database")
    state(page, "Succeeded")
    found["execution-succeeded"] = page.url
    launch(page, "deployment", "deploy", TARGET_VERSION="v1.0.1")
    state(page, "Waiting")
    found["execution-waiting"] = page.url
    manager.goto("/approvals/")
    manager.locator("a[href^='/approvals/0']").first.click()
    found["approval"] = manager.url
    launch(page, "deployment", "deploy", TARGET_VERSION="v1.0.2")
    state(page, "Waiting")
    approve(manager)
    page.get_by_role("button", name="Retry").wait_for(timeout=60_000)
    found["execution-failed"] = page.url
    return {name: re.sub(r"^https?://[^/]+", "", url) for name, url in found.items()}


def shoot(browser: Browser, port: int, pages: dict[str, str], folder: Path) -> None:
    for size, (width, height) in SIZES.items():
        for scheme in ("light", "dark"):
            options = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
            people = {
                person: log_in(browser, port, person, **options)
                for person in ("devops-engineer", "operations-manager", "auditor")
            }
            for name, path in pages.items():
                person = "operations-manager" if name.startswith("approv") else "devops-engineer"
                picture(people[person], path, folder / f"{name}-{size}-{scheme}.png")
            understood(people["auditor"], folder, f"{size}-{scheme}.png")
            picture(people["auditor"], "/audit/", folder / f"audit-{size}-{scheme}.png")
            anonymous = browser.new_context(base_url=f"http://localhost:{port}", **options)
            picture(anonymous.new_page(), "/login/", folder / f"login-{size}-{scheme}.png")


def understood(page: Page, folder: Path, name: str) -> None:
    """A plain document, as the import page understands it, and its annotated form."""
    page.goto("/runbooks/import/")
    page.fill("#text", (PROJECT / "tests/spec/corpus/troubleshooting-entries.md").read_text())
    page.get_by_role("button", name="Show how it is understood").click()
    page.get_by_role("button", name="The annotated form").wait_for()
    page.screenshot(path=folder / f"import-understood-{name}")
    page.get_by_role("button", name="The annotated form").click()
    page.get_by_role("heading", name="What annotating adds").wait_for()
    page.screenshot(path=folder / f"import-annotated-{name}")


def picture(page: Page, path: str, file: Path) -> None:
    page.goto(path)
    page.screenshot(path=file)


def main() -> int:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    with system() as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM if Path(CHROMIUM).exists() else None, args=ARGUMENTS
        )
        engineer = log_in(browser, running.port, "devops-engineer")
        manager = log_in(browser, running.port, "operations-manager")
        pages = PAGES | prepare(engineer, manager)
        shoot(browser, running.port, pages, folder)
        browser.close()
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
