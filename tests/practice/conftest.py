"""A practice CVD that runs, on a port and in a folder of its own, with a space in its path."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cvdops.practice.site import Site
from tests.ports import free_port
from tests.practice.operator import Operator


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Not created yet; stopped in the end."""
    site = Site(tmp_path / "practice cvd", free_port())
    yield site
    site.stop()


@pytest.fixture
def operator(site: Site) -> Operator:
    site.create()
    site.start()
    return Operator(site)


@pytest.fixture(scope="package")
def watcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """For tests that leave it as they found it."""
    site = Site(tmp_path_factory.mktemp("watched") / "it's a practice", free_port())
    site.create()
    site.start()
    yield Operator(site)
    site.stop()
