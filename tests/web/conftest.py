"""Fixtures of the tests of the pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections, transaction
from playwright.sync_api import Browser, sync_playwright
from pytest_django import Settings
from pytest_django.plugin import DjangoDbBlocker

from cvdops.catalog.origin import Origin
from tests import tables
from tests.cast import EVERYBODY, OUTSIDER
from tests.web import world as worlds

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="session")
def rows(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """The name of those of a world, made once in each process."""
    with django_db_blocker.unblock():
        with transaction.atomic():
            worlds.make(tmp_path_factory.mktemp("world"))
            found = tables.rows()
            transaction.set_rollback(True)
        tables.keep("world", found)
        connections.close_all()
    return "world"


@pytest.fixture(scope="module")
def logged_in(rows: str, django_db_blocker: DjangoDbBlocker) -> tuple[str, dict[str, str]]:
    """The rows of a world in which everybody has logged in, and their sessions by role."""
    with django_db_blocker.unblock():
        with transaction.atomic():
            tables.fill(rows)
            world = worlds.World(Path())
            sessions = {
                role: world.client(role).cookies["sessionid"].value
                for role in (*EVERYBODY, OUTSIDER)
            }
            found = tables.rows()
            transaction.set_rollback(True)
        tables.keep("crowd", found)
        connections.close_all()
    return "crowd", sessions


@pytest.fixture
def crowd(
    db: None,
    logged_in: tuple[str, dict[str, str]],
    tmp_path: Path,
    settings: Settings,
) -> worlds.World:
    """A world with everybody in it: some answers are about the others."""
    settings.RUNBOOKS = Origin(str(tmp_path))
    return worlds.again(tmp_path, *logged_in)


@pytest.fixture
def world(db: None, rows: str, tmp_path: Path, settings: Settings) -> worlds.World:
    settings.RUNBOOKS = Origin(str(tmp_path))
    return worlds.again(tmp_path, rows)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        # The browser's driver runs an event loop in this thread; the tests are no part of it.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        path = CHROMIUM if Path(CHROMIUM).exists() else None
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()
