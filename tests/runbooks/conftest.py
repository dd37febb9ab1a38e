"""A practice CVD of its own for each test that runs a runbook."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cvdops.practice.site import Site
from tests.runbooks.stage import Stage, build


@pytest.fixture
def stage(transactional_db: None, tmp_path: Path) -> Iterator[Stage]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    site = Site(tmp_path / "a practice CVD", port)
    site.create()
    site.start()
    try:
        yield build(site)
    finally:
        site.stop()
