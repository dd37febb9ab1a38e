"""Fixtures of the tests of `cvdops`: a real portal, and programs that ask it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cvdops.settings import DATA_DIR
from cvdops.stack import portal
from cvdops.stack.parts import Running
from tests.client.program import Program
from tests.executions import scene as scenes
from tests.faults.workers import database_url
from tests.ports import free_port


@pytest.fixture(scope="package")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a web server of its own process, on the database of the tests."""
    port = free_port()
    part = portal.web(DATA_DIR, port)
    environment = {**part.environment, "DATABASE_URL": database_url()}
    running = Running(
        replace(part, environment=environment), tmp_path_factory.mktemp("web") / "log"
    )
    running.wait_ready()
    yield port
    running.stop()


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
