"""The data of one-command systems, one after the other; only the first of them makes it."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.stack.launching import Launched


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture(scope="package")
def data() -> Iterator[Path]:
    """A data folder with a space in its path, reachable by PostgreSQL's user."""
    folder = Path(tempfile.mkdtemp(prefix="cvdops system "))
    folder.chmod(0o711)
    yield folder / "data"
    shutil.rmtree(folder)


@pytest.fixture
def launch(data: Path) -> Iterator[Callable[[int], Launched]]:
    """Starts systems on the data folder; none of them outlives the test."""
    launched: list[Launched] = []

    def start(port: int) -> Launched:
        launched.append(Launched(data, port))
        return launched[-1]

    yield start
    for system in launched:
        system.end()
