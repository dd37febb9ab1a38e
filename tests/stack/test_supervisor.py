"""The supervisor on small real programs: start, restart, stop."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cvdops.stack import supervisor as supervising
from cvdops.stack.parts import Part, StartError
from cvdops.stack.process import identify
from cvdops.stack.records import Records
from cvdops.stack.supervisor import Stopped, Supervisor
from tests.stack.programs import DEAF, SHORT, STEADY, pids, program
from tests.waiting import joined, until


def keep(supervisor: Supervisor, part: Part) -> None:
    supervisor.wait_ready(supervisor.begin(part))


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path, Records(tmp_path / "parts.json"), said.append)
    yield supervisor
    supervisor.stop()


@pytest.fixture
def watched(supervisor: Supervisor) -> Iterator[Supervisor]:
    watcher = threading.Thread(target=supervisor.watch, daemon=True)
    watcher.start()
    yield supervisor
    supervisor.ask_to_stop()
    joined(watcher)


def test_waiting_ends_when_the_part_answers(supervisor: Supervisor, tmp_path: Path) -> None:
    keep(supervisor, program("web", STEADY, tmp_path / "web"))
    assert len(pids(tmp_path / "web")) == 1


def test_a_part_that_ends_at_its_start_is_named_with_its_last_words(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    with pytest.raises(StartError, match=r"web ended at its start: no such planogram \(log: .*web"):
        keep(supervisor, program("web", SHORT, tmp_path / "web"))


def test_a_part_that_never_answers_is_given_up(supervisor: Supervisor, tmp_path: Path) -> None:
    part = program("web", "import time; time.sleep(60)", tmp_path / "web", patience=0.3)
    with pytest.raises(StartError, match="web does not answer after"):
        keep(supervisor, part)


def test_a_killed_part_is_started_again_with_a_message(
    watched: Supervisor, tmp_path: Path, said: list[str]
) -> None:
    keep(watched, program("web", STEADY, tmp_path / "web"))
    os.kill(int(pids(tmp_path / "web")[0]), signal.SIGKILL)
    until(lambda: len(pids(tmp_path / "web")) == 2, what="a second process")
    until(lambda: "web answers again." in said)
    assert said[0].startswith("web was ended by signal 9; it is started again in 0.5 s")


def test_the_pause_doubles_at_each_death(
    watched: Supervisor, tmp_path: Path, said: list[str]
) -> None:
    keep(watched, program("web", STEADY, tmp_path / "web"))
    for count in (1, 2):
        until(lambda count=count: len(pids(tmp_path / "web")) == count)
        os.kill(int(pids(tmp_path / "web")[-1]), signal.SIGKILL)
    until(lambda: [line for line in said if "in 1 s" in line], what="the doubled pause")


def test_the_pause_does_not_grow_for_ever(
    watched: Supervisor, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "LONGEST_PAUSE", 0.75)
    watched.begin(program("web", SHORT, tmp_path / "web"))
    until(lambda: len(said) >= 3, what="three deaths")
    assert [line.split(" again in ")[1].split(" s ")[0] for line in said[:3]] == [
        "0.5",
        "0.75",
        "0.75",
    ]


def test_stop_ends_the_last_started_first(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    script = (
        "import os, signal, sys, time\n"
        "name = os.environ['NAME']\n"
        f"def end(*_): open({str(order)!r}, 'a').write(name + ' '); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n" + STEADY
    )
    for name in ("database", "web"):
        keep(supervisor, program(name, script, tmp_path / name, environment={"NAME": name}))
    supervisor.stop()
    assert order.read_text().split() == ["web", "database"]


def test_stop_kills_a_part_that_does_not_listen(supervisor: Supervisor, tmp_path: Path) -> None:
    keep(supervisor, program("worker", DEAF, tmp_path / "worker", grace=0.3))
    supervisor.stop()
    assert identify(int(pids(tmp_path / "worker")[0])) is None


def test_stop_leaves_other_processes_alone(supervisor: Supervisor, tmp_path: Path) -> None:
    script = (
        "import subprocess, sys\n"
        "step = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        "open(sys.argv[1] + '.step', 'w').write(str(step.pid))\n" + STEADY
    )
    keep(supervisor, program("worker", script, tmp_path / "worker"))
    step = int((tmp_path / "worker.step").read_text())
    supervisor.stop()
    assert identify(step)
    os.kill(step, signal.SIGKILL)


def test_a_signal_ends_the_wait_for_a_part(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.ask_to_stop()
    with pytest.raises(Stopped):
        keep(supervisor, program("web", "import time; time.sleep(60)", tmp_path / "web"))


def test_running_parts_are_on_record_until_they_are_stopped(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    keep(supervisor, program("web", STEADY, tmp_path / "web"))
    recorded = supervisor.records.read()["web"]
    assert recorded.alive()
    supervisor.stop()
    assert supervisor.records.read() == {}
