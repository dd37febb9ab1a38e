"""Steps that people do: what they confirm, and what becomes of their note."""

import pytest

from cvdops.executions import services
from cvdops.executions.models import Execution
from cvdops.lib.errors import Invalid
from tests.executions.scene import Scene
from tests.executions.test_engine import block
from tests.live.test_pages import as_person, page

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
