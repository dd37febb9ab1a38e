"""The deployment runbook, run against a practice CVD."""

from cvdops.executions.models import Execution
from tests.runbooks.stage import Stage


def deploy(stage: Stage, version: str) -> Execution:
    return stage.run("deployment", "deploy", TARGET_VERSION=version)


def test_a_release_is_deployed(stage: Stage) -> None:
    execution = deploy(stage, "v1.0.1")
    assert execution.state == "succeeded", stage.story(execution)
    assert stage.health() == {"status": "healthy", "version": "v1.0.1"}
    assert not stage.broken_promises(execution)


def test_a_bad_release_stops_at_the_health_check_and_is_rolled_back(stage: Stage) -> None:
    deploy(stage, "v1.0.1")
    before = stage.data()
    execution = deploy(stage, "v1.0.2")
    assert execution.waiting_for["step"] == "check-the-health", stage.story(execution)
    stage.roll_back(execution)
    assert execution.state == "rolled_back", stage.story(execution)
    assert stage.health() == {"status": "healthy", "version": "v1.0.1"}
    assert stage.data() == before


def test_an_unknown_release_is_refused_before_anything_changes(stage: Stage) -> None:
    execution = deploy(stage, "v9.9.9")
    assert execution.waiting_for["step"] == "find-the-release", stage.story(execution)
    assert "  v1.0.1\n" in stage.scene.output(execution, "find-the-release")
