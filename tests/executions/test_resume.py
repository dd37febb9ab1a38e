"""Going on from a chosen step, and rolling back in part."""

from pathlib import Path

import pytest

from cvdops.executions import services
from cvdops.executions.services.resuming import Fate
from cvdops.lib.errors import Conflict, Invalid, Refused
from tests.executions.scene import Scene
from tests.executions.test_engine import block


def three(scene: Scene, tmp_path: Path) -> None:
    """Three steps that count themselves; the second one fails until the file is there."""
    count = f"echo {{}} >> '{tmp_path}/ran'"
    scene.runbook(
        block("one", count.format("one"), "destructive rollback=undo-one")
        + block("two", f"{count.format('two')}; test -e '{tmp_path}/ok'")
        + block("three", count.format("three"), "destructive rollback=undo-three"),
        rollback=block("undo-one", count.format("undo-one"))
        + block("undo-three", count.format("undo-three")),
    )


def ran(tmp_path: Path) -> list[str]:
    return (tmp_path / "ran").read_text().split()


def test_the_plan_says_what_becomes_of_each_step(scene: Scene, tmp_path: Path) -> None:
    three(scene, tmp_path)
    execution = scene.run()
    plan = services.plan_resume(scene.person("devops-engineer"), execution.pk, "three")
    fates = {step.key: fate for step, fate in plan.fates}
    assert fates == {"one": Fate.REUSE, "two": Fate.SKIP, "three": Fate.RUN}


def test_it_goes_on_from_an_earlier_step(scene: Scene, tmp_path: Path) -> None:
    three(scene, tmp_path)
    execution = scene.run()
    (tmp_path / "ok").touch()
    services.resume_from(scene.person("operations-lead"), execution.pk, "one", "cable was out")
    scene.advance(execution)
    assert execution.state == "succeeded"
    assert ran(tmp_path) == ["one", "two", "one", "two", "three"]


def test_a_failed_execution_that_was_given_up_can_go_on(scene: Scene, tmp_path: Path) -> None:
    three(scene, tmp_path)
    execution = scene.run()
    engineer = scene.person("devops-engineer")
    services.give_up(engineer, execution.pk)
    (tmp_path / "ok").touch()
    services.resume_from(engineer, execution.pk, "two", "the disk is mended")
    scene.advance(execution)
    assert (execution.state, ran(tmp_path)) == ("succeeded", ["one", "two", "two", "three"])


def test_a_reason_is_needed(scene: Scene, tmp_path: Path) -> None:
    three(scene, tmp_path)
    execution = scene.run()
    with pytest.raises(Invalid, match="Say why"):
        services.resume_from(scene.person("devops-engineer"), execution.pk, "two", " ")


def test_passing_over_a_step_needs_a_lead(scene: Scene, tmp_path: Path) -> None:
    three(scene, tmp_path)
    execution = scene.run()
    with pytest.raises(Refused):
        services.resume_from(scene.person("devops-engineer"), execution.pk, "three", "why not")


def test_what_succeeded_cannot_go_on(scene: Scene, tmp_path: Path) -> None:
    three(scene, tmp_path)
    (tmp_path / "ok").touch()
    execution = scene.run()
    with pytest.raises(Conflict, match="succeeded"):
        services.resume_from(scene.person("operations-lead"), execution.pk, "one", "again")


def test_a_rollback_down_to_a_step_can_be_followed_by_the_rest(
    scene: Scene, tmp_path: Path
) -> None:
    count = f"echo {{}} >> '{tmp_path}/ran'"
    scene.runbook(
        block("one", "true", "destructive rollback=undo-one")
        + block("two", "true", "destructive rollback=undo-two")
        + block("three", "false"),
        rollback=block("undo-one", count.format("undo-one"))
        + block("undo-two", count.format("undo-two")),
    )
    execution, engineer = scene.run(), scene.person("devops-engineer")
    services.roll_back(engineer, execution.pk, down_to="two")
    scene.advance(execution)
    assert (execution.state, ran(tmp_path)) == ("rolled_back", ["undo-two"])
    assert execution.outcome == "Rolled back in part. Still in place: one."
    services.roll_back(engineer, execution.pk)
    scene.advance(execution)
    assert (ran(tmp_path), execution.outcome) == (["undo-two", "undo-one"], "")
