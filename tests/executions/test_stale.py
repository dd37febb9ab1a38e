"""What was decided on another situation is not done: it says who moved it on."""

from collections.abc import Callable

import pytest
from django.test import Client

from cvdops.executions import services
from cvdops.executions.models import Execution
from cvdops.executions.situation import Situation
from cvdops.lib.errors import Conflict
from tests.executions.scene import Scene
from tests.executions.test_engine import block

Verb = Callable[[Scene, Execution, str], None]


def shown(execution: Execution) -> str:
    execution.refresh_from_db()
    return str(Situation.of(execution, execution.steps.all()))


def failed(scene: Scene) -> Execution:
    scene.runbook(block("one", "true") + block("two", "false"))
    execution = scene.start()
    scene.advance(execution)
    return execution


def again(scene: Scene, execution: Execution) -> None:
    services.retry(scene.person("devops-engineer"), execution.pk, "two")
    scene.advance(execution)


def _retry(scene: Scene, execution: Execution, seen: str) -> None:
    services.retry(scene.person("operations-lead"), execution.pk, "two", seen=seen)


def _skip(scene: Scene, execution: Execution, seen: str) -> None:
    services.skip(scene.person("operations-lead"), execution.pk, "two", "not needed", seen)


def _settle(scene: Scene, execution: Execution, seen: str) -> None:
    services.settle(scene.person("operations-lead"), execution.pk, "two", "done by hand", seen)


def _give_up(scene: Scene, execution: Execution, seen: str) -> None:
    services.give_up(scene.person("operations-lead"), execution.pk, seen=seen)


def _go_on(scene: Scene, execution: Execution, seen: str) -> None:
    services.resume_from(scene.person("operations-lead"), execution.pk, "two", "again", seen)


@pytest.mark.parametrize("verb", [_retry, _skip, _settle, _give_up, _go_on])
def test_it_is_refused_once_somebody_tried_again(scene: Scene, verb: Verb) -> None:
    execution = failed(scene)
    seen = shown(execution)
    again(scene, execution)
    before = shown(execution)
    with pytest.raises(Conflict, match=r"moved on .*: Devops-Engineer was first \(retry, "):
        verb(scene, execution, seen)
    assert shown(execution) == before
    verb(scene, execution, before)


def test_notes_move_nothing_on(scene: Scene) -> None:
    execution = failed(scene)
    seen = shown(execution)
    services.note(scene.person("devops-engineer"), execution.pk, "I look at it.")
    _retry(scene, execution, seen)


def test_a_cancel_spares_the_rollback_that_began_since(scene: Scene) -> None:
    scene.runbook(
        block("one", "true", "destructive rollback=back") + block("two", "false"),
        rollback=block("back", "true"),
    )
    execution = scene.start()
    scene.advance(execution)
    seen = shown(execution)
    services.roll_back(scene.person("devops-engineer"), execution.pk)
    with pytest.raises(Conflict, match="Devops-Engineer was first"):
        services.cancel(scene.person("operations-lead"), execution.pk, seen=seen)
    services.cancel(scene.person("operations-lead"), execution.pk, seen=shown(execution))


def test_a_page_sends_what_it_showed(scene: Scene) -> None:
    execution = failed(scene)
    browser = Client()
    browser.force_login(scene.person("operations-lead"))
    seen = shown(execution)
    assert (
        f'name="seen" value="{seen}"'
        in browser.get(f"/executions/{execution.pk}/").content.decode()
    )
    again(scene, execution)
    step = execution.steps.get(key="two")
    answer = browser.post(f"/executions/{execution.pk}/steps/{step.pk}/retry/", {"seen": seen})
    assert answer.status_code == 409
    assert "Devops-Engineer was first (retry" in answer.content.decode()
    assert step.attempts.count() == 2
