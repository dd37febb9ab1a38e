"""F19: viewers who take little or nothing. Nobody else notices, they cost little memory, and are dropped."""

import socket
import threading
import time
from pathlib import Path

import pytest

from cvdops.executions.models import Execution
from tests.executions.test_engine import block
from tests.faults.portal import Visit, Web, web
from tests.faults.rig import Rig
from tests.live.output import attempt, write
from tests.live.viewer import Visitor
from tests.waiting import joined, until

SLOW = 1000  # bytes a second
MOST = 256 << 10  # bytes of the server's memory for each of them


class Stuck(threading.Thread):
    """So many frozen viewers, who take nothing, and slow ones, who take a little."""

    def __init__(self, visit: Visit, execution: Execution, frozen: int, slow: int) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.clients = [connected(visit, execution) for _ in range(frozen + slow)]
        self._slow = self.clients[frozen:]

    def run(self) -> None:
        while not self.over.wait(0.5):
            for client in self._slow:
                try:
                    client.recv(SLOW // 2)
                except OSError:  # dropped, or nothing there
                    continue

    def held(self) -> int:
        """How many of them the server still has a connection with."""
        ports = {f"{client.getsockname()[1]:04X}" for client in self.clients}
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[2].rpartition(":")[2] in ports and row[3] == "01" for row in rows)

    def close(self) -> None:
        self.over.set()
        joined(self)
        for client in self.clients:
            client.close()


def connected(visit: Visit, execution: Execution) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", visit.port))
    path = f"/executions/{execution.pk}/events/?after={execution.seq}"
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: sessionid={visit.session}\r\n\r\n"
    client.sendall(head.encode())
    client.setblocking(False)
    return client


def delays(visit: Visit, execution: Execution, seconds: float) -> list[float]:
    """From the moment in which output is stored to that in which an ordinary viewer has it."""
    made, piece, found = attempt(execution, "one"), b"a line of output\n" * 3000, []
    offset = 0
    with Visitor(visit.port, visit.session).watch(execution.pk, str(execution.seq)) as stream:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            began = time.monotonic()
            write(execution, made, offset, piece)
            offset += len(piece)
            while stream.first("output").data["end"] < offset:
                pass
            found.append(time.monotonic() - began)
            time.sleep(0.05)
    return sorted(found)


def trial(rig: Rig, server: Web, each: int, seconds: float, most: float) -> Stuck:
    """Latency (at most so many seconds, or three times that without them) and memory."""
    rig.scene.runbook(block("one", "true"))
    visit = server.visit(rig.scene.person("developer"))
    before = delays(visit, rig.scene.start(), 1.5)
    memory, execution = server.memory(), rig.scene.start()
    stuck = Stuck(visit, execution, each, each)
    stuck.start()
    until(lambda: stuck.held() == 2 * each, what="their connections")
    meanwhile = delays(visit, execution, seconds)
    assert meanwhile[len(meanwhile) // 2] < max(most, 3 * before[len(before) // 2])
    assert server.memory() - memory < 2 * each * MOST + (8 << 20)
    return stuck


def test_slow_and_frozen_viewers(rig: Rig, tmp_path: Path) -> None:
    with web(tmp_path) as server:
        trial(rig, server, 20, 2, most=2.0).close()


@pytest.mark.faults
def test_they_are_dropped(rig: Rig, tmp_path: Path) -> None:
    with web(tmp_path) as server:
        stuck = trial(rig, server, 50, 30, most=0.1)
        until(lambda: stuck.held() == 0, 60, "the end of all of them")
        stuck.close()
        assert "Traceback" not in server.said()
