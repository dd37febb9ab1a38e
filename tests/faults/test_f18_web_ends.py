"""F18: a web server is killed, or told to end, with many viewers and while people press buttons."""

import http.client
import signal
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cvdops.executions.models import Execution
from tests.executions.test_engine import block
from tests.faults import viewers
from tests.faults.portal import Visit, Web, web
from tests.faults.rig import Rig
from tests.faults.test_f07_viewers_cut import lines
from tests.faults.viewers import Viewer
from tests.live.output import attempt, write

BUSY = {503, 429}  # all viewers come back at once, one person presses a lot: nothing was done
SOON = 20.0  # seconds for the end of a server
NEVER = (OSError, http.client.HTTPException)  # an answer that never came


@dataclass(eq=False)
class Presser(threading.Thread):
    """Starts the runbook again and again, each time with another key; and again what was not answered."""

    visit: Visit
    over: threading.Event
    keys: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)  # keys whose first answer never came
    wrong: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        while not self.over.wait(0.05):
            self.keys.append(uuid.uuid4().hex)
            while not self._press(self.keys[-1]):
                time.sleep(0.1)

    def _press(self, key: str) -> bool:
        try:
            answer = self.visit.start(key)
        except NEVER:
            self.broken.append(key)
            return False
        if answer.status in BUSY:
            return False
        if answer.status != 302:
            self.wrong.append(answer.status)
        return True


def end(server: Web, number: int) -> float:
    """Seconds until it was gone; it is started again at once."""
    began = time.monotonic()
    server.signal(number)
    server.running.process.wait(60)
    took = time.monotonic() - began
    server.start()
    return took


def trial(
    rig: Rig, server: Web, signals: list[int], *, watching: int, pressing: int, patience: int = 60
) -> None:
    rig.scene.runbook(block("one", "true"))
    execution, text = rig.scene.start(), lines(rig.chance, len(signals) * 100_000)
    visit = server.visit(rig.scene.person("devops-engineer"))
    over = threading.Event()
    pressers = [Presser(visit, over) for _ in range(pressing)]
    watchers = [
        Viewer(server.port, visit.session, execution.pk, len(text), str(execution.seq))
        for _ in range(watching)
    ]
    thread = viewers.start(watchers)
    for presser in pressers:
        presser.start()
    made, part = attempt(execution, "one"), len(text) // len(signals) // 20
    for number in range(20 * len(signals)):
        write(execution, made, number * part, text[number * part :][:part].encode())
        time.sleep(0.02)
        if number % 20 == 10:
            took = end(server, signals[number // 20])
            assert took <= SOON
    thread.join(patience)
    assert not thread.is_alive(), "a viewer has not everything yet"
    over.set()
    for presser in pressers:
        presser.join(60)
    judge(watchers, pressers, text)
    assert "Traceback" not in server.said()


def judge(watchers: list[Viewer], pressers: list[Presser], text: str) -> None:
    """Every viewer has everything; each press had one effect, however often it was sent."""
    for viewer in watchers:
        assert text.endswith(viewer.text) and viewer.end == len(text)
    keys = [key for presser in pressers for key in presser.keys]
    assert [status for presser in pressers for status in presser.wrong] == []
    assert any(presser.broken for presser in pressers)
    started = Execution.objects.filter(idempotency_key__in=keys)
    assert started.count() == len(keys)


def test_it_is_told_to_end_and_killed(rig: Rig, tmp_path: Path) -> None:
    with web(tmp_path) as server:
        trial(rig, server, [signal.SIGTERM, signal.SIGKILL], watching=20, pressing=3)


@pytest.mark.faults
def test_with_many_viewers(rig: Rig, tmp_path: Path) -> None:
    with web(tmp_path) as server:
        signals = [signal.SIGTERM, signal.SIGKILL] * 2
        trial(rig, server, signals, watching=500, pressing=20, patience=180)
