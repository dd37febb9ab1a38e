"""The runbook for performance tuning, run against a practice CVD."""

import sqlite3
from contextlib import closing

from tests.runbooks.stage import Stage


def tuned(stage: Stage) -> int:
    """How many of the runbook's indexes there are."""
    with closing(sqlite3.connect(stage.site.variables()["DATABASE_PATH"])) as database:
        query = "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name LIKE 'tuned_%'"
        found: tuple[int] = database.execute(query).fetchone()
    return found[0]


def test_measuring_changes_nothing(stage: Stage) -> None:
    before = stage.data()
    execution = stage.run("performance-tuning", "measure", REQUESTS="3")
    assert execution.state == "succeeded", stage.story(execution)
    assert (stage.data(), tuned(stage)) == (before, 0)
    assert not stage.broken_promises(execution)


def test_tuning_makes_indexes_and_keeps_the_data(stage: Stage) -> None:
    before = stage.data()
    execution = stage.run("performance-tuning", "tune", REQUESTS="3")
    assert execution.state == "succeeded", stage.story(execution)
    assert (stage.data(), tuned(stage)) == (before, 3)
    assert " ms before, " in stage.scene.output(execution, "compare-the-response-times")
    assert not stage.broken_promises(execution)
