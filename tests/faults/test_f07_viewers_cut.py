"""F7: the connections of viewers are cut again and again while a step writes."""

import random
import time

import pytest

from cvdops.executions import output
from cvdops.executions.models import Execution, StepAttempt
from tests.executions.test_engine import block
from tests.faults import viewers
from tests.faults.portal import Web, web
from tests.faults.rig import Rig
from tests.faults.viewers import Viewer
from tests.live.output import attempt, write
from tests.proxy import Proxy

LINE = 100  # bytes


def lines(chance: random.Random, size: int) -> str:
    """Output that can be told apart line by line."""
    return "".join(f"{n:08d} {chance.randbytes(45).hex()}\n" for n in range(size // LINE))


def stored(execution: Execution, text: str, seconds: float, cut: object) -> StepAttempt:
    """Store the output in pieces over so many seconds, as a worker does; the connections are cut meanwhile."""
    made, data = attempt(execution, "one"), text.encode()
    pieces = int(seconds * 20)
    size = len(data) // pieces + 1
    began = time.monotonic()
    for number in range(pieces):
        write(execution, made, number * size, data[number * size :][:size])
        time.sleep(max(0, began + (number + 1) / 20 - time.monotonic()))
        cut(number / 20)
    return made


def trial(rig: Rig, server: Web, *, count: int, size: int, seconds: float, every: float) -> None:
    rig.scene.runbook(block("one", "true"))
    execution, text = rig.scene.start(), lines(rig.chance, size)
    visit = server.visit(rig.scene.person("developer"))
    proxy, cuts = Proxy(server.port), [every]

    def cut(now: float) -> None:
        if now >= cuts[-1]:
            proxy.cut()
            cuts.append(now + every)

    watching = [
        Viewer(proxy.port, visit.session, execution.pk, len(text), str(execution.seq))
        for _ in range(count)
    ]
    thread = viewers.start(watching)
    made = stored(execution, text, seconds, cut)
    thread.join(180)
    assert not thread.is_alive(), "a viewer has not everything yet"
    for viewer in watching:
        assert viewer.reads <= viewer.cuts, "a gap that no cut explains"
        assert text.endswith(viewer.text)
        assert viewer.reads or viewer.text == text
        assert len(viewer.text) >= min(size, 200_000)
    assert sum(viewer.cuts for viewer in watching) >= count
    assert output.read(made.pk).decode() == text
    page = visit.page(f"/executions/{execution.pk}/steps/one/output/")
    assert page.text == text
    proxy.close()


def test_viewers_are_cut_off_three_times(rig: Rig, tmp_path) -> None:
    with web(tmp_path) as server:
        trial(rig, server, count=10, size=1 << 20, seconds=2.5, every=0.7)


@pytest.mark.faults
def test_many_viewers_are_cut_off_every_three_seconds(rig: Rig, tmp_path) -> None:
    with web(tmp_path) as server:
        trial(rig, server, count=50, size=20 << 20, seconds=60, every=3)
