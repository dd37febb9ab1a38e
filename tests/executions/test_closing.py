"""After the end: the list, what the portal confirms of it, and when an execution is closed."""

from threading import Thread

import pytest
from django.db import connection
from pytest_django import Settings

from cvdops.audit.models import AuditEntry
from cvdops.environments.models import Environment
from cvdops.executions import closing, services
from cvdops.executions.models import Closing, Execution
from cvdops.lib.errors import Conflict, NotFound, Refused
from cvdops.notifications.models import Message
from tests.executions.scene import Scene
from tests.executions.test_engine import block
from tests.waiting import joined

QUEUES = ["env.development"]
WITH_CHECK = (
    block("one", "true") + "\n## Verification\n\n### Look {#look}\n```bash {#seen}\ntrue\n```\n"
)
BY_PEOPLE = (2, 3, 4, 5)


def ended(scene: Scene, body: str = WITH_CHECK) -> Execution:
    """An execution that has come to its end, with its list laid out."""
    scene.runbook(body)
    execution = scene.run()
    closing.begin(execution.pk)
    return execution


def marks(execution: Execution) -> dict[int, str]:
    """Place → who confirmed it, `portal` or nobody."""
    found = execution.checklist.filter(moment="after")
    return {
        m.position: "portal" if m.verified else m.confirmed_by.username if m.confirmed_by else ""
        for m in found
    }


def test_the_portal_confirms_what_it_can_verify(scene: Scene) -> None:
    execution = ended(scene)
    assert marks(execution) == {0: "portal", 1: "portal", 2: "", 3: "", 4: "", 5: ""}
    assert execution.checklist.get(moment="after", position=0).evidence == (
        "1 verification step succeeded"
    )


@pytest.mark.parametrize(
    ("protected", "attributes", "told"),
    [(True, "destructive", 1), (True, "", 0), (False, "destructive", 0)],
)
def test_channels_hear_how_a_change_of_a_protected_environment_ended(
    scene: Scene, settings: Settings, protected: bool, attributes: str, told: int
) -> None:
    settings.NOTIFY = {"slack": "slack://x"}
    execution = ended(scene, block("one", "true", attributes))
    Closing.objects.all().delete()
    Environment.objects.update(protected=protected)
    closing.begin(execution.pk)
    assert Message.objects.count() == told


@pytest.mark.parametrize("body", [block("one", "true"), block("one", "false")])
def test_without_a_verification_that_succeeded_a_person_confirms_it(
    scene: Scene, body: str
) -> None:
    scene.runbook(body)
    execution = scene.run()
    if not execution.is_over:
        services.give_up(scene.person("devops-engineer"), execution.pk)
    closing.begin(execution.pk)
    assert marks(execution)[0] == ""


def test_the_workers_search_finds_what_has_ended_and_finds_it_once(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    execution = scene.start()
    assert closing.due(QUEUES, 9) == []
    scene.advance(execution)
    assert closing.due(QUEUES, 9) == [execution.pk]
    assert closing.due(["env.production"], 9) == []
    closing.begin(execution.pk)
    assert closing.due(QUEUES, 9) == []


def test_what_ended_before_anything_was_done_has_nothing_to_close(scene: Scene) -> None:
    scene.runbook(block("ask", "approvers: [operations-manager]", kind="approval"))
    execution = scene.run()
    services.cancel(scene.person("devops-engineer"), execution.pk)
    assert closing.due(QUEUES, 9) == []


def test_it_is_closed_by_the_last_item_and_recorded(scene: Scene) -> None:
    execution, engineer = ended(scene), scene.person("devops-engineer")
    for position in BY_PEOPLE:
        assert Closing.objects.get().closed_at is None
        services.close_item(engineer, execution.pk, position, "said")
    assert Closing.objects.get().closed_at
    entry = AuditEntry.objects.get(action="execution.closed")
    assert (entry.actor, entry.subject_id) == (engineer, str(execution.pk))
    assert execution.events.filter(kind="execution.closed").count() == 1


def test_an_item_is_confirmed_once_and_with_its_note(scene: Scene) -> None:
    execution = ended(scene)
    services.close_item(scene.person("devops-engineer"), execution.pk, 4, " the index was cold ")
    assert execution.checklist.get(moment="after", position=4).evidence == "the index was cold"
    with pytest.raises(Conflict, match="confirmed already"):
        services.close_item(scene.person("operations-lead"), execution.pk, 4)


def test_an_item_that_is_not_there_is_not_found(scene: Scene) -> None:
    execution = ended(scene)
    with pytest.raises(NotFound):
        services.close_item(scene.person("devops-engineer"), execution.pk, 99, "said")


def test_who_only_reads_confirms_nothing(scene: Scene) -> None:
    execution = ended(scene)
    with pytest.raises(Refused):
        services.close_item(scene.person("auditor"), execution.pk, 4)


def test_before_the_end_there_is_no_list(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    with pytest.raises(Conflict, match="opens when the execution has ended"):
        services.close_item(scene.person("devops-engineer"), scene.start().pk, 2)


def test_a_new_end_has_a_new_list(scene: Scene) -> None:
    scene.runbook(
        block("one", "true", "destructive rollback=back") + block("two", "false"),
        "### Back\n```bash {#back}\ntrue\n```\n",
    )
    execution, engineer = scene.run(), scene.person("devops-engineer")
    services.give_up(engineer, execution.pk)
    closing.begin(execution.pk)
    services.close_item(engineer, execution.pk, 2)
    services.roll_back(engineer, execution.pk)
    with pytest.raises(Conflict):
        services.close_item(engineer, execution.pk, 4)
    scene.advance(execution)
    assert closing.due(QUEUES, 9) == [execution.pk]
    closing.begin(execution.pk)
    assert marks(execution)[2] == ""


def test_many_workers_lay_it_out_once(scene: Scene) -> None:
    scene.runbook(WITH_CHECK)
    execution = scene.run()

    def begin() -> None:
        closing.begin(execution.pk)
        connection.close()

    threads = [Thread(target=begin, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    joined(*threads)
    assert len(marks(execution)) == execution.checklist.filter(moment="after").count() == 6
    assert execution.events.filter(kind="closing.begin").count() == 1
