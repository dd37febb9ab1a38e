"""What `make up` runs, where it cannot start."""

import socket
from pathlib import Path

from tests.stack.launching import Launched


def test_a_taken_port_is_refused_with_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        refused = Launched(tmp_path / "data", server.getsockname()[1])
        assert refused.process.wait(60) == 2
    assert refused.said().startswith("Cannot start: Port ")
    assert len(refused.said().splitlines()) == 1
