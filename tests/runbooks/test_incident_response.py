"""The runbook for incidents, run against a practice CVD that is well or ill."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.runbooks.stage import Stage


def operate(stage: Stage, script: str) -> None:
    """What somebody did on the server before the incident."""
    environment = {"HOME": "/nonexistent", **stage.site.variables()}
    command = ["bash", "-euc", script]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)


def install(stage: Stage, version: str) -> None:
    operate(
        stage,
        f'cd "$APPLICATION_DIR" && git checkout --quiet {version}'
        ' && python3 migrate.py "$DATABASE_PATH" && systemctl restart "$SERVICE_NAME"',
    )


@pytest.mark.parametrize("procedure", ["assess", "stabilise", "diagnose", "emergency-backup"])
def test_on_a_service_that_is_well_everything_ends_well(stage: Stage, procedure: str) -> None:
    execution = stage.run("incident-response", procedure)
    assert execution.state == "succeeded", stage.story(execution)
    assert not stage.broken_promises(execution)


def test_a_service_that_is_down_is_assessed_as_the_gravest_incident(stage: Stage) -> None:
    operate(stage, 'systemctl stop "$SERVICE_NAME"')
    execution = stage.run("incident-response", "assess")
    assert execution.state == "succeeded", stage.story(execution)
    said = stage.scene.output(execution, "sum-up")
    assert "Severity by these findings: P0" in said
    assert "Next: emergency-backup, then stabilise" in said


def test_a_service_that_is_down_is_brought_up(stage: Stage) -> None:
    operate(stage, 'systemctl stop "$SERVICE_NAME" nginx')
    execution = stage.run("incident-response", "stabilise")
    assert execution.state == "succeeded", stage.story(execution)
    assert stage.health()["status"] == "healthy"


def test_a_database_that_cannot_be_read_is_copied_all_the_same(stage: Stage) -> None:
    database = Path(stage.site.variables()["DATABASE_PATH"])
    database.write_bytes(os.urandom(9000))
    execution = stage.run("incident-response", "emergency-backup")
    assert execution.state == "succeeded", stage.story(execution)
    (copy,) = Path(stage.site.variables()["BACKUP_DIR"]).glob("emergency_*.db")
    assert copy.read_bytes() == database.read_bytes()


def test_a_bad_release_is_taken_back_and_the_data_stays(stage: Stage) -> None:
    install(stage, "v1.0.2")
    orders = stage.data()[3]
    execution = stage.run("incident-response", "emergency-rollback")
    assert execution.state == "succeeded", stage.story(execution)
    assert stage.health() == {"status": "healthy", "version": "v1.0.1"}
    assert stage.data()[3] == orders
    assert not stage.broken_promises(execution)


def test_a_rollback_to_a_release_that_is_not_there_changes_nothing(stage: Stage) -> None:
    execution = stage.run("incident-response", "emergency-rollback", ROLLBACK_TO="v7.0.0")
    assert execution.waiting_for["step"] == "choose-the-release", stage.story(execution)
    assert stage.health() == {"status": "healthy", "version": "v1.0.0"}


def test_a_rollback_that_does_not_help_is_undone(stage: Stage) -> None:
    install(stage, "v1.0.1")
    execution = stage.run("incident-response", "emergency-rollback", ROLLBACK_TO="v1.0.2")
    assert execution.waiting_for["step"] == "check-the-health", stage.story(execution)
    stage.roll_back(execution)
    assert execution.state == "rolled_back", stage.story(execution)
    assert stage.health() == {"status": "healthy", "version": "v1.0.1"}
