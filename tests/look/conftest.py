"""A small portal, a web server and a browser for all tests of one module."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connections
from playwright.sync_api import Browser
from pytest_django.plugin import DjangoDbBlocker

from cvdops.catalog.origin import Origin
from tests import tables
from tests.faults.portal import web
from tests.look.walk import Walk
from tests.web import world as worlds
from tests.web.conftest import browser

__all__ = ["browser"]


@pytest.fixture(scope="module")
def world(
    browser: Browser,  # its driver's loop comes first: a connection belongs to what runs around it
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[worlds.World]:
    """Made once: what a module walks through it only reads."""
    folder = tmp_path_factory.mktemp("runbooks")
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "RUNBOOKS", Origin(str(folder)))
        yield worlds.make(folder)
        tables.empty(None)
        connections.close_all()


@pytest.fixture(scope="module")
def walk(
    world: worlds.World, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("web")
    with web(folder, CVDOPS_RUNBOOKS=str(world.folder)) as server:
        walk = Walk(browser, server.port, world)
        yield walk
        walk.close()
