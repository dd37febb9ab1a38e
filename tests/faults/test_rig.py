"""The rig itself: its auditor finds lies, its servers die and come back."""

import pytest
from django.db import connection, transaction

from cvdops.executions.models import Execution
from tests.faults.rig import Rig
from tests.faults.servers import Database

LIES = {
    "UPDATE executions_steprun SET state = 'running'": "nobody will ever watch it",
    "UPDATE executions_steprun SET state = 'failed'": "its events lead to succeeded",
    "UPDATE executions_stepattempt SET exit_code = 1": "has exit code 1",
    "UPDATE executions_stepattempt SET output_digest = 'x'": "digest of another output",
    "DELETE FROM executions_outputsegment": "0 other ones are stored",
    "DELETE FROM executions_event WHERE kind = 'step.begin'": "succeed of a step that is pending",
    "DELETE FROM executions_event WHERE kind = 'execution.succeed'": "its events lead to running",
    "UPDATE executions_execution SET plan_digest = 'x'": "has its start 0 times",
}


def finished(rig: Rig) -> Execution:
    rig.runbook(rig.step("one", seconds=0, lines=2))
    [execution] = rig.start()
    rig.scene.advance(execution)
    rig.truth([execution])
    return execution


def test_a_lie_in_the_database_is_found(rig: Rig) -> None:
    execution = finished(rig)
    for lie, found in LIES.items():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(lie)
            with pytest.raises(AssertionError, match=found):
                rig.truth([execution])
            transaction.set_rollback(True)


def test_a_second_run_is_found(rig: Rig) -> None:
    execution = finished(rig)
    with (rig.effects.folder / "effects").open("a") as file:
        file.write(f"{execution.steps.get().attempts.get().pk} begin one 1\n")
    with pytest.raises(AssertionError, match="began 2 times"):
        rig.truth([execution])


def test_a_database_that_died_and_came_back(own_database: Database, rig: Rig) -> None:
    execution = finished(rig)
    own_database.restart()
    rig.truth([execution])
