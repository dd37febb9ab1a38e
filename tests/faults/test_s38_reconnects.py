"""S38: viewers who come and go without end cost the web server nothing that stays."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.executions.test_engine import block
from tests.faults.portal import Web, web
from tests.faults.rig import Rig
from tests.live.viewer import Visitor
from tests.waiting import until

AT_ONCE = 8


def reconnects(rig: Rig, server: Web, before: int, times: int, most: int) -> None:
    """`most` bytes of memory may stay after so many connections, the first of which do not count."""
    rig.scene.runbook(block("one", "true"))
    execution = rig.scene.start()
    visitor = Visitor(server.port, server.visit(rig.scene.person("developer")).session)
    positions = [str(execution.seq), "0", "x", "9" * 30]

    def come_and_go(number: int) -> None:
        with visitor.watch(execution.pk, positions[number % len(positions)]) as stream:
            assert stream.response.status == 200
            assert stream.response.readline()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(come_and_go, range(before)))
        memory, files = server.memory(), server.files()
        list(pool.map(come_and_go, range(times)))
    until(lambda: server.files() <= files + AT_ONCE, what="their connections closed")
    assert server.memory() - memory < most
    assert "Traceback" not in server.said()


def test_many_come_and_go(rig: Rig, tmp_path: Path) -> None:
    with web(tmp_path) as server:
        reconnects(rig, server, 60, 150, 12 << 20)


@pytest.mark.faults
def test_ten_thousand_come_and_go(rig: Rig, tmp_path: Path) -> None:
    with web(tmp_path) as server:
        reconnects(rig, server, 1_000, 10_000, 12 << 20)
