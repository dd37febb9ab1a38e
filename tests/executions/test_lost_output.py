"""Output is stored without waiting for the disk: what a crash of the database takes is read again."""

from pathlib import Path

from cvdops.executions import leases
from cvdops.executions.models import Execution, OutputSegment
from tests.executions.scene import Scene
from tests.executions.test_control import at_work
from tests.executions.test_engine import block
from tests.waiting import until

SCRIPT = "for I in 1 2 3 4 5 6 7 8 9; do echo $I; sleep {pause}; done"


def lose(execution: Execution) -> None:
    """What was stored so far, as soon as there is something."""
    segments = OutputSegment.objects.filter(execution=execution)
    until(segments.exists)
    segments.delete()


def test_lost_while_it_writes(scene: Scene) -> None:
    scene.runbook(block("one", SCRIPT.format(pause=0.1)))
    execution = scene.start()
    with at_work(execution):
        lose(execution)
    leases.give_back()
    done = scene.advance(execution)
    assert done.state == "succeeded", (done.waiting_for, scene.steps(done)["one"].note)
    assert scene.output(execution, "one") == "".join(f"{n}\n" for n in range(1, 10))


def test_lost_before_its_end(scene: Scene, tmp_path: Path) -> None:
    go = tmp_path / "go"
    scene.runbook(block("one", f"echo 1; until test -e '{go}'; do sleep 0.05; done"))
    execution = scene.start()
    with at_work(execution):
        lose(execution)
        go.touch()
    assert scene.states(execution) == {"one": "running"}
    leases.give_back()
    assert scene.advance(execution).state == "succeeded"
    assert scene.output(execution, "one") == "1\n"
