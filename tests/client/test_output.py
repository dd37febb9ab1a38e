"""The output of a step that is read in pieces."""

from argparse import Namespace

import pytest

from cvdops.client import reading
from cvdops.client.place import Place
from cvdops.client.wire import Portal
from cvdops.executions import services
from cvdops.executions.models import Execution
from tests.client.program import Program
from tests.executions.scene import Scene

COUNT = (
    "#### Count\n```bash {#count}\n"
    'n=$(cat tries 2>/dev/null || echo 0); echo $((n + 1)) >tries\necho "try $((n + 1))"; exit 1\n```\n'
)


@pytest.fixture
def tried(scene: Scene) -> Execution:
    scene.runbook(COUNT.replace("tries", str(scene.folder / "tries")))
    return scene.run()


def again(scene: Scene, execution: Execution) -> None:
    services.retry(scene.person("devops-engineer"), execution.pk, execution.steps.get().pk)
    scene.advance(execution)


def test_another_try_meanwhile_mixes_nothing(
    scene: Scene, tried: Execution, engineer: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PIECE", 4)
    place = Place(engineer.environment["CVDOPS_URL"], engineer.environment["CVDOPS_TOKEN"])
    path = ("executions", str(tried.pk), "steps", "count", "output")
    options = Namespace(host="", attempt=None, offset=0)
    pieces = reading._pieces(Portal(place), path, options)
    first = next(pieces)
    again(scene, tried)
    assert first + b"".join(pieces) == b"try 1\n"


def test_each_try_can_be_read(scene: Scene, tried: Execution, engineer: Program) -> None:
    again(scene, tried)
    wanted = ("output", str(tried.number), "count")
    assert engineer.run(*wanted).out == "try 2\n"
    assert engineer.run(*wanted, "--attempt", "1").out == "try 1\n"
    assert engineer.run(*wanted, "--attempt", "3").code == 2
