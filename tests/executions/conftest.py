"""Fixtures of the engine's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from cvdops.environments.models import Host
from tests.executions import scene as scenes
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
    server.installation(Path(settings.SSH_DIR))
    host = Host.objects.create(
        environment=scene.environment,
        name="far",
        transport="ssh",
        address="127.0.0.1",
        port=server.port,
        user=server.login.user,
        key="test",
    )
    key = server.key
    host.keys.create(kind=key.kind, key=key.key, fingerprint=key.fingerprint)
    return scene
