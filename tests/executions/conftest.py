"""Fixtures of the engine's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.executions import scene as scenes
from tests.hosts import introduce
from tests.sshd import Sshd, ssh_server


@pytest.fixture
def scene(transactional_db: None, tmp_path: Path) -> scenes.Scene:
    return scenes.make(tmp_path)


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    with ssh_server() as running:
        yield running


@pytest.fixture
def far(scene: scenes.Scene, server: Sshd) -> scenes.Scene:
    """The scene with a second host, `far`, whose key is confirmed."""
    introduce(server, scene.environment.pk)
    return scene
