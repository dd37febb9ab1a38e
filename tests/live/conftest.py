"""Fixtures of the tests of the live page: an execution, and a real web server to watch it from."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from cvdops.executions.models import Execution
from cvdops.live import guard, pump
from tests.executions import scene as scenes
from tests.live.chromium import browser, errors, page, said, tab
from tests.live.serving import serving
from tests.live.viewer import Visitor

__all__ = ["browser", "errors", "page", "said", "tab"]
TWO_STEPS = """
#### First
```bash {#first}
echo one
```

#### Second
```bash {#second}
echo two
```
"""


@pytest.fixture
def scene(transactional_db: None, tmp_path: Path) -> scenes.Scene:
    return scenes.make(tmp_path)


@pytest.fixture
def execution(scene: scenes.Scene) -> Execution:
    """Started and waiting for a worker; nothing moves unless a test moves it."""
    scene.runbook(TWO_STEPS)
    return scene.start()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of the web servers of a module, one after the other, so that a browser knows the files already."""
    with socket.socket() as held:  # which listens to nobody; nobody else gets it between two tests
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def server(transactional_db: None, port: int) -> Iterator[int]:
    """The port of a uvicorn in this process, on the database of the tests."""
    with serving(port):
        yield port


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server looks after its streams ten times a second instead of every few seconds."""
    for module, name in ((guard, "EVERY"), (guard, "SHARED"), (pump, "BEAT"), (pump, "TICK")):
        monkeypatch.setattr(module, name, 0.1)


@pytest.fixture
def visitor(server: int, scene: scenes.Scene) -> Visitor:
    """A system administrator, who may read and assist in deployments."""
    client = Client()
    client.force_login(scene.person("system-admin"))
    return Visitor(server, client.cookies["sessionid"].value)
