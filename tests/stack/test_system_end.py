"""How the whole one-command system ends, and starts again after the worst end."""

import signal
import socket
from collections.abc import Callable
from pathlib import Path

from tests.stack.launching import Launched

Launch = Callable[[int], Launched]


def test_a_taken_port_is_refused_with_one_sentence(launch: Launch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        refused = launch(server.getsockname()[1])
        assert refused.process.wait(60) == 2
    assert refused.said().startswith("Cannot start: Port ")
    assert len(refused.said().splitlines()) == 1


def test_term_stops_every_process(data: Path, launch: Launch, port: int) -> None:
    system = launch(port).wait_ready()
    assert len(system.left()) > 8
    assert system.end(signal.SIGTERM) == 0
    assert system.left() == []
    assert not (data / "run" / "environment.json").exists()


def test_after_a_hard_kill_the_next_start_takes_over(launch: Launch, port: int) -> None:
    killed = launch(port).wait_ready()
    orphans = {killed.pid(part) for part in ("postgres", "redis", "web", "worker")}
    killed.end(signal.SIGKILL)
    again = launch(port).wait_ready()
    assert again.healthy()
    assert not orphans & set(again.left())
    assert again.end(signal.SIGINT) == 0
    assert again.left() == []
