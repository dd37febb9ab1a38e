"""Fixtures of the tests of `cvdops`: a real portal, and programs that ask it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.program import Program
from tests.executions import scene as scenes
from tests.faults.portal import web


@pytest.fixture(scope="package")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a web server of its own process, on the database of the tests."""
    with web(tmp_path_factory.mktemp("web")) as running:
        yield running.port


@pytest.fixture
def scene(transactional_db: None, tmp_path: Path) -> scenes.Scene:
    made = scenes.make(tmp_path)
    for role in ("devops-engineer", "operations-manager", "operations-lead"):
        made.person(role)
    return made


@pytest.fixture
def engineer(server: int, scene: scenes.Scene, tmp_path: Path) -> Program:
    return Program.of("devops-engineer", server, tmp_path)


@pytest.fixture
def manager(server: int, scene: scenes.Scene, tmp_path: Path) -> Program:
    return Program.of("operations-manager", server, tmp_path)
