"""`python -m tests.screenshots [FOLDER [NAME…]]`: pictures of every page, in both sizes and schemes.

Only the pictures whose names match one of the NAMEs are taken: `'home-*' '*-phone-dark'`.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from cvdops.stack.portal import PROJECT
from tests.e2e import hosts
from tests.e2e.conftest import ARGUMENTS, CHROMIUM
from tests.e2e.people import approve, launch, log_in, state
from tests.ports import free_port
from tests.sshd import ssh_server
from tests.stack.launching import Launched

# Whose browser shows the pages whose names begin so.
WHOSE = {
    "approval": "operations-manager",
    "approvals": "operations-manager",
    "lead": "operations-lead",
    "admin": "admin",
    "": "devops-engineer",
}
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
    "executions-found": "/executions/?output=backup",
    "executions-compare": "/executions/compare/?run=1001&run=1002",
    "executions-choose": "/executions/compare/?run=1002",
    "approvals": "/approvals/",
    "permissions": "/permissions/",
    "lead-matrix": "/permissions/matrix/?developer/security=review-execute",
    "holders": "/permissions/people/",
    "lead-holder": "/permissions/people/developer/?role=system-admin&until=2090-01-01T00:00",
    "policies": "/permissions/policies/",
    "lead-policy": "/permissions/policies/production/security/always/",
    "lead-role": "/permissions/roles/security-admin/",
    "approvals-delegations": "/approvals/delegations/",
    "certification": "/permissions/certification/",
    "certified": "/permissions/certification/devops-engineer/",
    "lead-certified": "/permissions/certification/developer/",
    "changes": "/permissions/changes/",
    "what-if": "/permissions/what-if/?person=developer&runbook=deployment&environment=production",
    "environments": "/environments/",
    "environment": "/environments/development/",
    "host": "/environments/development/hosts/practice/",
    "host-unknown": "/environments/development/hosts/web-1/",
    "host-changed": "/environments/development/hosts/web-2/",
    "lead-environment": "/environments/development/",
    "lead-host-form": "/environments/development/add/hosts/",
    "lead-host-unknown": "/environments/development/hosts/web-1/",
    "lead-host-changed": "/environments/development/hosts/web-2/",
    "notices": "/notices/",
    "launch-emergency": "/runbooks/deployment/run/?procedure=deploy&environment=staging&emergency=yes",
    "lead-holds": "/holds/",
    "lead-window-form": "/environments/staging/windows/add/window/",
    "lead-secret-form": "/environments/staging/secret/",
    "environment-windows": "/environments/staging/",
    "contacts": "/contacts/",
    "metrics": "/metrics/",
    "lead-routines": "/routines/",
    "routine": "/routines/runbooks/",
    "lead-contact": "/contacts/add/specialist/",
    "account": "/account/",
    "password": "/account/password/",
    "admin-people": "/people/",
    "admin-doctor": "/doctor/",
    "admin-person": "/people/developer/",
    "admin-person-add": "/people/add/",
    "api-docs": "/api/v1/docs",
    "lead-triggers": "/triggers/",
    "not-found": "/nothing/",
    "find": "/find/",
    "find-nothing": "/find/?q=nothing-like-it",
    "tour": "/tour/",
    "glossary": "/glossary/",
    "shortcuts": "/shortcuts/",
    "styleguide": "/styleguide/",
    "runbooks-nothing": "/runbooks/?q=nothing-like-it",
    "executions-nothing": "/executions/?q=nothing-like-it",
    "forbidden": "/audit/",
}


@dataclass(frozen=True)
class Album:
    """The pictures of one size and scheme; `whole` pages, or what a person sees first."""

    folder: Path
    wanted: tuple[str, ...] = ("*",)
    whole: bool = False
    kind: str = ""

    def wants(self, name: str) -> bool:
        return any(fnmatch(f"{name}-{self.kind}", pattern) for pattern in self.wanted)

    def take(self, page: Page, name: str) -> None:
        page.screenshot(path=self.folder / f"{name}-{self.kind}.png", full_page=self.whole)

    def open(self, page: Page, name: str, path: str) -> None:
        page.goto(path)
        self.take(page, name)


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
    found["execution-evidence"] = f"{page.url}evidence/"
    launch(page, "deployment", "deploy", TARGET_VERSION="v1.0.2")
    state(page, "Waiting")
    approve(manager)
    page.get_by_role("button", name="Retry").wait_for(timeout=60_000)
    page.get_by_text(re.compile("Roll back")).first.click()
    page.get_by_role("button", name=re.compile("Roll back")).last.click()
    state(page, "Rolled back")
    found["execution-rolled-back"] = page.url
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
    found["execution-found"] = (
        f"{found['execution-succeeded']}?step=take-the-backup&q=written&times=1"
    )
    found["undo"] = f"{page.url}undo/?down_to=migrate-the-database"
    found["lead-go-on"] = f"{page.url}go-on/?step=check-the-release"
    return {name: re.sub(r"^https?://[^/]+", "", url) for name, url in found.items()}


def prepare_hosts(lead: Page, running: Launched) -> None:
    """The practice host, one whose key nobody has confirmed, and one whose key has changed."""
    lead.goto("/environments/development/hosts/practice/")
    hosts.tested(lead, "Survival")
    with ssh_server() as first, ssh_server(kind="rsa") as second:
        hosts.add(lead, running, first, "web-1")
        hosts.tested(lead, "Nobody has confirmed its key yet")
        hosts.add(lead, running, first, "web-2")
        hosts.tested(lead, "Nobody has confirmed its key yet")
        lead.get_by_role("button", name="Confirm this key").click()
        lead.get_by_role("button", name="Test again", disabled=False).wait_for(timeout=30_000)
        hosts.move(lead, running, second, "web-2")
        hosts.tested(lead, "Its key is NOT the one that was confirmed")


def shoot(browser: Browser, port: int, pages: dict[str, str], whole: Album) -> None:
    for size, (width, height) in SIZES.items():
        for scheme in ("light", "dark"):
            album = replace(whole, kind=f"{size}-{scheme}")
            options = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
            people = People(browser, port, options)
            for name, path in pages.items():
                if album.wants(name):
                    album.open(people[WHOSE.get(name.partition("-")[0], WHOSE[""])], name, path)
            for name, (person, show) in DOINGS.items():
                if album.wants(name):
                    show(people[person], album, name)
            if album.wants("login"):
                anonymous = browser.new_context(base_url=f"http://localhost:{port}", **options)
                album.open(anonymous.new_page(), "login", "/login/")


class People(dict[str, Page]):
    """Everybody's browser, logged in when it is first asked for."""

    def __init__(self, browser: Browser, port: int, options: dict[str, object]) -> None:
        super().__init__()
        self._how = (browser, port, options)

    def __missing__(self, person: str) -> Page:
        browser, port, options = self._how
        self[person] = log_in(browser, port, person, **options)
        return self[person]


def understand(page: Page) -> None:
    page.goto("/runbooks/import/")
    page.fill("#text", (PROJECT / "tests/spec/corpus/troubleshooting-entries.md").read_text())
    page.get_by_role("button", name="Show how it is understood").click()
    page.get_by_role("button", name="The annotated form").wait_for()


def understood(page: Page, album: Album, name: str) -> None:
    """A plain document, as the import page understands it."""
    understand(page)
    album.take(page, name)


def annotated(page: Page, album: Album, name: str) -> None:
    """Its annotated form."""
    understand(page)
    page.get_by_role("button", name="The annotated form").click()
    page.get_by_role("heading", name="What annotating adds").wait_for()
    album.take(page, name)


def palette(page: Page, album: Album, name: str) -> None:
    """What Ctrl-K opens, over a page."""
    page.goto("/runbooks/")
    page.keyboard.press("Control+k")
    page.keyboard.type("back")
    page.get_by_role("option", name="Back up the database").wait_for()
    album.take(page, name)


def keys(page: Page, album: Album, name: str) -> None:
    """What ? opens."""
    page.goto("/runbooks/")
    page.keyboard.press("?")
    page.get_by_role("dialog").get_by_text("Environments").wait_for()
    album.take(page, name)


def dry_run(page: Page, album: Album, name: str) -> None:
    """The result of a dry run, in its place on the launch page."""
    page.goto("/runbooks/backup-restore/run/?procedure=backup-database&environment=development")
    page.get_by_role("button", name="Dry run").click()
    page.locator("#dry-run:not([hx-get]) [role=status]").wait_for(timeout=30_000)
    page.locator("#dry-run").scroll_into_view_if_needed()
    album.take(page, name)


def running(page: Page, album: Album, name: str) -> None:
    """An execution while its longest step runs."""
    launch(page, "backup-restore", "backup-database")
    page.locator("#heading h2", has_text="Compare the rows").wait_for()
    page.locator(".term li").nth(2).wait_for()
    album.take(page, name)
    state(page, "Succeeded")


def audit(page: Page, album: Album, name: str) -> None:
    album.open(page, name, "/audit/")


# What needs more than an address: who does it, and how.
DOINGS: dict[str, tuple[str, Callable[[Page, Album, str], None]]] = {
    "palette": ("devops-engineer", palette),
    "keys": ("devops-engineer", keys),
    "dry-run": ("devops-engineer", dry_run),
    "execution-running": ("devops-engineer", running),
    "import-understood": ("auditor", understood),
    "import-annotated": ("auditor", annotated),
    "audit": ("auditor", audit),
}


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.screenshots")
    asked.add_argument("folder", nargs="?", type=Path, default=Path("build/screenshots"))
    asked.add_argument("names", nargs="*", metavar="NAME", help="only these: 'home-*', '*-dark'")
    asked.add_argument("--whole", action="store_true", help="the whole pages, to their ends")
    answers = asked.parse_args()
    answers.folder.mkdir(parents=True, exist_ok=True)
    album = Album(answers.folder, tuple(answers.names) or ("*",), answers.whole)
    with system() as portal, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM if Path(CHROMIUM).exists() else None, args=ARGUMENTS
        )
        engineer = log_in(browser, portal.port, "devops-engineer")
        manager = log_in(browser, portal.port, "operations-manager")
        pages = PAGES | prepare(engineer, manager)
        prepare_hosts(log_in(browser, portal.port, "operations-lead"), portal)
        shoot(browser, portal.port, pages, album)
        browser.close()
    print(f"{len(list(answers.folder.glob('*.png')))} pictures in {answers.folder}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
