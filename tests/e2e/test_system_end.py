"""How the whole one-command system ends, and starts again after the worst end."""

import signal

import pytest

from tests.stack.launching import Launched

pytestmark = pytest.mark.e2e


def test_after_a_hard_kill_the_next_start_takes_over(system: Launched) -> None:
    orphans = {system.pid(part) for part in ("postgres", "redis", "web", "worker")}
    system.end(signal.SIGKILL)
    system.launch()
    assert system.wait_ready().healthy()
    assert not orphans & set(system.left())


@pytest.mark.parametrize(
    "how", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.faults)]
)
def test_a_signal_to_stop_ends_every_process(system: Launched, how: int) -> None:
    assert len(system.left()) > 8
    assert system.end(how) == 0
    assert system.left() == []
    assert not (system.data / "run" / "environment.json").exists()
