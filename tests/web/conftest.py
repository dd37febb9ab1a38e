"""Fixtures of the tests of the pages."""

from pathlib import Path

import pytest
from pytest_django import Settings

from cvdops.catalog.origin import Origin
from tests.web import world as worlds


@pytest.fixture
def world(db: None, tmp_path: Path, settings: Settings) -> worlds.World:
    settings.RUNBOOKS = Origin(str(tmp_path))
    return worlds.make(tmp_path)
