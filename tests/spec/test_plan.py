"""Which steps run, in which order, and which undo them."""

import pytest

from cvdops.spec.parser import parse
from cvdops.spec.plan import UnknownProcedure, rollback_of, steps_of
from tests.spec.documents import ANNOTATED, annotated

RUNBOOK = parse(ANNOTATED)
UNDOABLE = parse(
    annotated(
        procedures="".join(
            f"```bash {{#{name} destructive rollback={undo}}}\nls\n```\n"
            for name, undo in (("a", "undo-a"), ("b", "undo-b"), ("c", "undo-a"))
        )
        + "```bash {#d rollback=undo-a}\nls\n```\n",
        after="## Rollback\n```bash {#undo-a}\nls\n```\n```bash {#undo-b}\nls\n```\n",
    )
)


def test_preparation_then_the_procedure_then_verification() -> None:
    ids = [s.id for s in steps_of(RUNBOOK, "backup-database")]
    assert ids == ["preparation", "backup", "check"]


def test_a_procedure_may_leave_out_the_verification() -> None:
    assert [s.id for s in steps_of(RUNBOOK, "restore-database")] == ["preparation", "go", "restore"]


def test_an_unknown_procedure_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownProcedure, match="backup-database, restore-database"):
        steps_of(RUNBOOK, "nothing")


def test_the_last_completed_step_is_undone_first_and_each_rollback_runs_once() -> None:
    assert [s.id for s in rollback_of(UNDOABLE, ["a", "b", "c"])] == ["undo-a", "undo-b"]
    assert [s.id for s in rollback_of(UNDOABLE, ["a", "b"])] == ["undo-b", "undo-a"]


@pytest.mark.parametrize("completed", [[], ["d"], ["unknown"]])
def test_only_destructive_steps_are_undone(completed: list[str]) -> None:
    assert rollback_of(UNDOABLE, completed) == ()
