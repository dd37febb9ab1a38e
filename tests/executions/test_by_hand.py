"""Steps that people do: what they confirm, and what becomes of their note."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from cvdops.approvals.models import ApprovalRequest
from cvdops.executions import queries, services
from cvdops.executions.models import Execution
from cvdops.lib.errors import Conflict, Invalid
from tests.executions.scene import Scene
from tests.executions.test_children import GATE, child, child_block
from tests.executions.test_engine import block
from tests.live.test_pages import as_person, page

DESTROYS = block("one", "true", "destructive rollback=undo")
LIST = "#### look\n\n- [ ] it is quiet\n\n"
METER = block("read", "Read the meter.", "capture=METER", kind="manual")
SHOWN = block("show", 'echo "$METER"')


def confirm(scene: Scene, execution: Execution, note: str) -> None:
    step = scene.steps(execution)["read"]
    services.confirm(scene.person("devops-engineer"), execution.pk, step.pk, [0], note)


def test_the_note_of_a_manual_step_is_a_variable(scene: Scene) -> None:
    scene.runbook(METER + SHOWN)
    execution = scene.run()
    html = page(as_person(scene, "devops-engineer"), execution)
    assert "it becomes the variable <code>METER</code>" in html
    with pytest.raises(Invalid, match="METER"):
        confirm(scene, execution, " ")
    confirm(scene, execution, " 17; $(id) ")
    assert scene.advance(execution).state == "succeeded"
    assert scene.output(execution, "show") == "17; $(id)\n"


def test_it_replaces_what_a_step_has_set_before(scene: Scene) -> None:
    scene.runbook(block("old", "METER=1") + METER + SHOWN)
    execution = scene.run()
    confirm(scene, execution, "2")
    assert scene.output(scene.advance(execution), "show") == "2\n"


def test_a_note_with_a_secret_in_it_is_not_kept_as_a_variable(scene: Scene) -> None:
    scene.runbook(METER + block("one", "true"), extra="variables:\n  TOKEN: {secret: true}\n")
    execution = scene.run(variables={"TOKEN": "s3cret-value"})
    confirm(scene, execution, "it is s3cret-value")
    assert scene.advance(execution).session[""]["variables"] == {}


OPEN = {"manual": METER, "checklist": LIST, "gate": GATE}


@pytest.mark.parametrize("kind", OPEN)
def test_nothing_waits_any_more_after_a_rollback(scene: Scene, kind: str) -> None:
    scene.runbook(DESTROYS + OPEN[kind], block("undo", "true"))
    execution = scene.run()
    assert execution.steps.filter(state="waiting").count() == 1
    services.roll_back(scene.person("devops-engineer"), execution.pk)
    assert scene.advance(execution).state == "rolled_back"
    assert not execution.steps.filter(state="waiting").exists()


@pytest.mark.parametrize("kind", OPEN)
def test_nothing_waits_any_more_when_it_was_given_up(scene: Scene, kind: str) -> None:
    scene.runbook(OPEN[kind])
    execution = scene.run()
    lost = {"code": "poisoned", "text": "Three workers died on it."}
    Execution.objects.filter(pk=execution.pk).update(waiting_for=lost)
    services.give_up(scene.person("devops-engineer"), execution.pk)
    execution.refresh_from_db()
    assert (execution.state, execution.steps.get().state) == ("failed", "cancelled")
    assert not ApprovalRequest.objects.filter(state="open").exists()


def test_a_rollback_waits_for_the_end_of_a_child(scene: Scene) -> None:
    scene.other("inner", block("in", "true"))
    scene.runbook(DESTROYS + child_block(), block("undo", "true"))
    execution, engineer = scene.run(), scene.person("devops-engineer")
    with pytest.raises(Conflict, match="cancel that one first"):
        services.roll_back(engineer, execution.pk)
    services.cancel(engineer, child(execution).pk)
    services.roll_back(engineer, execution.pk)
    assert scene.advance(execution).state == "rolled_back"
    assert not execution.steps.filter(state="waiting").exists()


def test_what_was_undone_by_hand_is_undone(scene: Scene) -> None:
    scene.runbook(DESTROYS + block("two", "false"), block("undo", "false"))
    execution = scene.run()
    services.roll_back(scene.person("devops-engineer"), execution.pk)
    assert scene.advance(execution).state == "waiting"
    assert queries.undo_stack(execution)
    lead = scene.person("operations-lead")
    services.settle(lead, execution.pk, "undo", "taken back on its console")
    assert scene.advance(execution).state == "rolled_back"
    assert (queries.undo_stack(execution), execution.outcome) == ((), "")


@pytest.mark.parametrize("first", ["end", "open"])
def test_the_database_refuses_an_end_at_which_somebody_waits(scene: Scene, first: str) -> None:
    scene.runbook(LIST)
    steps = scene.run().steps
    ended = {"state": "cancelled", "finished_at": Now(), "waiting_for": {}}
    if first == "open":
        with transaction.atomic():
            steps.update(state="cancelled")
            Execution.objects.update(**ended)
    with pytest.raises(IntegrityError, match="a step of it waits"):
        if first == "open":
            steps.update(state="waiting")
        else:
            Execution.objects.update(**ended)
