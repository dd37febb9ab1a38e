"""The whole one-command system, and people with browsers."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageStateCookie, sync_playwright

from cvdops.stack.portal import PROJECT
from tests.e2e import people, shell
from tests.ports import free_port
from tests.stack.launching import Launched

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
FRESH = 300  # seconds for which a login is used again; after twice as long some pages ask once more
SLOW = """---
format: 1
id: slow
version: 1.0.0
category: deployment
tools: [sleep, seq]
---
# Slow

## Procedures

### Count {.procedure}

#### Print two lines a second

```bash {#count}
for i in $(seq 1 20); do echo "line $i"; sleep 0.5; done
```

#### Go on

```bash {#go-on}
echo "went on"
```
"""


@pytest.fixture(scope="package")
def folder() -> Iterator[Path]:
    """Where the system has its data, with the five runbooks and a slow one; with a space in its path."""
    # not below pytest's own folder, which every other test run closes to PostgreSQL's user
    with tempfile.TemporaryDirectory(prefix="cvdops e2e ") as name:
        folder = Path(name)
        folder.chmod(0o711)
        shutil.copytree(PROJECT / "runbooks", folder / "runbooks")
        (folder / "runbooks" / "SLOW.md").write_text(SLOW)
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("CVDOPS_RUNBOOKS", str(folder / "runbooks"))
            yield folder


@pytest.fixture(scope="package")
def deployed(folder: Path) -> "subprocess.CompletedProcess[str]":
    """The script that goes from a bare machine to a deployed release, ended. It is the first to start
    the system, which makes its data, and that takes long."""
    return shell.deployed(folder)


@pytest.fixture(scope="package")
def kept(folder: Path, deployed: object) -> Iterator[Launched]:
    launched = Launched(folder / "data", free_port())
    try:
        yield launched
    finally:
        launched.end()


@pytest.fixture
def system(kept: Launched) -> Launched:
    """Started as `make up` does, and again after a test that ended it; stopped at the end."""
    if not kept.running():
        kept.launch()
    return kept.wait_ready()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM if Path(CHROMIUM).exists() else None, args=ARGUMENTS
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def sessions() -> dict[str, tuple[float, list[StorageStateCookie]]]:
    """When each person logged in, and what their browser got."""
    return {}


@pytest.fixture
def log_in(
    system: Launched,
    browser: Browser,
    sessions: dict[str, tuple[float, list[StorageStateCookie]]],
) -> Iterator[Callable[..., Page]]:
    """A browser of their own for each person, logged in; every script error fails the test."""
    errors: list[str] = []
    pages: list[Page] = []

    def make(person: str, **options: object) -> Page:
        at, cookies = sessions.get(person, (0.0, []))
        if cookies and time.monotonic() < at + FRESH:
            page = people.opened(browser, system.port, **options)
            page.context.add_cookies(cookies)
        else:
            page = people.log_in(browser, system.port, person, **options)
            sessions[person] = time.monotonic(), page.context.cookies()
        page.on("pageerror", lambda error: errors.append(f"{person}: {error}"))
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        pages.append(page)
        return page

    yield make
    for page in pages:
        page.context.close()
    assert errors == []
