"""A practice CVD of its own for each test that runs a runbook."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cvdops.practice.site import Site
from tests.ports import free_port
from tests.runbooks.stage import Stage, build


@pytest.fixture
def stage(transactional_db: None, tmp_path: Path) -> Iterator[Stage]:
    site = Site(tmp_path / "a practice CVD", free_port())
    site.create()
    site.start()
    try:
        yield build(site)
    finally:
        site.stop()
