"""The whole one-command system: started, hurt, stopped."""

import json
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.launching import Launched
from tests.waiting import until


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """One folder for all tests here: each is a further start on the same data."""
    folder = Path(tempfile.mkdtemp(prefix="cvdops system "))
    folder.chmod(0o711)
    yield folder / "data"
    shutil.rmtree(folder)


@pytest.fixture
def system(data: Path) -> Iterator[Launched]:
    launched = Launched(data, free_port())
    try:
        yield launched.wait_ready()
    finally:
        launched.end()


def test_ready_names_the_address_and_the_people(system: Launched) -> None:
    assert f"Ready: http://localhost:{system.port}\n" in system.said()
    assert "devops-engineer" in system.said()
    assert system.healthy()


def test_term_stops_every_process(system: Launched) -> None:
    assert len(system.left()) > 4
    assert system.end(signal.SIGTERM) == 0
    assert system.left() == []


def test_ctrl_c_stops_every_process(system: Launched) -> None:
    assert system.end(signal.SIGINT) == 0
    assert system.left() == []


def test_the_connection_is_written_for_this_user_while_it_runs(system: Launched) -> None:
    written = system.data / "run" / "environment.json"
    assert written.stat().st_mode & 0o777 == 0o600
    assert json.loads(written.read_text()).keys() >= {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"}
    system.end()
    assert not written.exists()


@pytest.mark.parametrize("part", ["worker", "web", "redis", "postgres"])
def test_a_killed_part_comes_back(system: Launched, part: str) -> None:
    before = system.pid(part)
    os.kill(before, signal.SIGKILL)
    until(lambda: system.pid(part) != before, 30, "another process")
    until(lambda: f"{part} answers again." in system.said(), 60, "its answer")
    until(system.healthy, 60, "the whole system")


def test_a_second_system_on_the_same_data_is_refused(system: Launched) -> None:
    second = Launched(system.data, free_port())
    assert second.process.wait(20) == 2
    assert "already running" in second.said()
    assert system.healthy()


def test_a_taken_port_is_refused_with_one_sentence(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        refused = Launched(data, server.getsockname()[1])
        assert refused.process.wait(20) == 2
    assert refused.said().startswith("Cannot start: Port ")
    assert len(refused.said().splitlines()) == 1


def test_after_a_hard_kill_the_next_start_takes_over(system: Launched) -> None:
    system.end(signal.SIGKILL)
    orphans = system.left()
    again = Launched(system.data, system.port).wait_ready()
    assert again.healthy()
    assert not set(orphans) & {again.pid(part) for part in ("postgres", "redis", "web", "worker")}
    again.end()
    assert again.left() == []
