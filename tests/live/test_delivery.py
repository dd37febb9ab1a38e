"""A client that takes nothing any more is dropped, and costs little until then."""

import socket
from pathlib import Path

import pytest

from cvdops.executions.models import Execution
from cvdops.web.live import delivery
from tests.live.output import attempt, write
from tests.live.viewer import Visitor
from tests.waiting import until

PIECE = b"a line of output that nobody reads\n" * 3000


def frozen(visitor: Visitor, execution: Execution) -> socket.socket:
    """A viewer who asks and then takes nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(10)
    client.connect(("127.0.0.1", visitor.port))
    path = f"/executions/{execution.pk}/events/?after={execution.seq}"
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: sessionid={visitor.session}\r\n\r\n"
    client.sendall(head.encode())
    return client


def held(port: int, client: socket.socket) -> bool:
    """Whether the server still has the connection of this client."""
    ends = f":{port:04X}", f":{client.getsockname()[1]:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines():
        _, local, remote, state, *_ = line.split()
        if local.endswith(ends[0]) and remote.endswith(ends[1]):
            return state == "01"
    return False


def test_a_frozen_viewer_is_dropped_and_the_others_are_not(
    visitor: Visitor, execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "STUCK", 0.5)
    first = attempt(execution)
    after = str(execution.seq)
    with frozen(visitor, execution) as client, visitor.watch(execution.pk, after) as other:
        for offset in range(0, 10 * len(PIECE), len(PIECE)):
            write(execution, first, offset, PIECE)
            while other.first("output").data["end"] < offset + len(PIECE):
                pass
        until(lambda: not held(visitor.port, client), what="the end of the frozen one")
