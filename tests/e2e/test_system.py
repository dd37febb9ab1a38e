"""The whole one-command system while it runs: reached, doubled, hurt."""

import json
import os
import signal

import pytest

from tests.ports import free_port
from tests.stack.launching import Launched
from tests.waiting import until

pytestmark = pytest.mark.e2e


def test_ready_names_the_address_and_the_people(system: Launched) -> None:
    assert f"Ready: http://localhost:{system.port}\n" in system.said()
    assert "devops-engineer" in system.said()
    assert system.healthy()


def test_the_connection_is_written_for_this_user(system: Launched) -> None:
    written = system.data / "run" / "environment.json"
    assert written.stat().st_mode & 0o777 == 0o600
    assert json.loads(written.read_text()).keys() >= {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"}


def test_a_second_system_on_the_same_data_is_refused(system: Launched) -> None:
    second = Launched(system.data, free_port(), "second")
    assert second.process.wait(60) == 2
    assert "already running" in second.said()
    assert system.healthy()


@pytest.mark.parametrize("part", ["worker", "web", "redis", "postgres"])
def test_a_killed_part_comes_back(system: Launched, part: str) -> None:
    said = f"{part} answers again."
    before, times = system.pid(part), system.said().count(said)
    os.kill(before, signal.SIGKILL)
    until(lambda: system.pid(part) != before, what="another process")
    until(lambda: system.said().count(said) > times, what="its answer")
    until(system.healthy, what="the whole system")
