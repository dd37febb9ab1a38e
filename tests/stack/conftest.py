"""A one-command system of its own for a module of tests."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A data folder with a space in its path, reachable by PostgreSQL's user."""
    folder = Path(tempfile.mkdtemp(prefix="cvdops system "))
    folder.chmod(0o711)
    yield folder / "data"
    shutil.rmtree(folder)
