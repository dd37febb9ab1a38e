"""The first line in which two outputs differ, and what of two executions is compared."""

import time
from pathlib import Path

import pytest

from cvdops.executions.models import Execution, StepRun
from cvdops.live.comparison import compare, first_difference
from tests.executions.scene import Scene
from tests.executions.scene import make as make_scene
from tests.executions.test_engine import block


@pytest.fixture
def scene(transactional_db: None, tmp_path: Path) -> Scene:
    return make_scene(tmp_path)


@pytest.mark.parametrize(
    ("first", "second", "number"),
    [
        (["a", "b"], ["a", "b"], 0),
        (["at 10:15:01 done"], ["at 11:02:59 done"], 0),
        (
            ["id 7f3c9a2e-1111-4222-8333-444455556666"],
            ["id 00000000-1111-4222-8333-444455556666"],
            0,
        ),
        (["took 12 ms"], ["took 9.5 s"], 0),
        (["rows: 10"], ["rows: 11"], 1),
        (["a", "b"], ["a"], 2),
        ([], ["a"], 1),
        (["x" * 3000 + "1"], ["x" * 3000 + "2"], 1),
    ],
)
def test_times_and_ids_do_not_count(first: list[str], second: list[str], number: int) -> None:
    found = first_difference(first, second, time.monotonic() + 60)
    assert (found.number, found.differs) == (number, number > 0)


def test_it_gives_up_and_says_where() -> None:
    found = first_difference(["same", "a 10:00"], ["same", "a 11:00"], 0.0)
    assert found.text == "The output is the same up to line 2; the rest takes too long."


def ran(scene: Scene, script: str) -> Execution:
    scene.runbook(block("one", "echo begun") + block("two", script))
    return scene.run()


def test_two_runs_of_it(scene: Scene) -> None:
    first = ran(scene, "date +%H:%M:%S; echo ten; echo 1")
    second = ran(scene, "date +%H:%M:%S; echo ten; echo 2")
    found = compare(scene.person("developer"), first, second)
    one, two = found.pairs
    assert one.output and one.output.text == "The output is the same, byte for byte."
    assert two.output and (two.output.number, two.output.first, two.output.second) == (3, "1", "2")
    assert found.changed == 1
    assert abs(one.longer) >= 0


def test_answers_are_not_compared_for_others(scene: Scene) -> None:
    first, second = ran(scene, "echo 1"), ran(scene, "echo 2")
    StepRun.objects.filter(key="two").update(kind="http")
    texts = [
        compare(scene.person(role), first, second).pairs[1].output.text  # type: ignore[union-attr]
        for role in ("developer", "devops-engineer")
    ]
    assert texts == [
        "What came back is shown only to people with Execute on this category.",
        "Line 1 differs.",
    ]


def test_a_step_that_only_one_has_stands_in_its_place(scene: Scene) -> None:
    first = ran(scene, "echo 1")
    scene.runbook(block("one", "echo begun") + block("new", "echo new") + block("two", "echo 1"))
    second = scene.run()
    found = compare(scene.person("developer"), first, second)
    assert [pair.step.key for pair in found.pairs] == ["one", "new", "two"]
    assert [pair.differs for pair in found.pairs] == [False, True, False]
