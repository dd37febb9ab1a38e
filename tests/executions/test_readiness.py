"""What the portal verifies of the list before a start."""

import pytest
from django.utils import timezone

from cvdops.executions import services
from cvdops.executions.checklists import ChecklistDraft
from cvdops.executions.models import Execution, HostCheck
from tests.executions.scene import Scene
from tests.executions.test_engine import block

AUTHORIZATION, BACKUP, TOOLS, ENVIRONMENT, ROLLBACK = 0, 1, 3, 4, 5
ASKS = "backup: {runbook: saved, procedures: [do-it], within: 2h}\n"
GATE = block("ask", "approvers: [operations-manager]", kind="approval")


def item(scene: Scene, position: int) -> ChecklistDraft:
    engineer = scene.person("devops-engineer")
    return services.preview(engineer, "trial", "development", None, {}).before[position]


def backed_up(scene: Scene, **ended: object) -> None:
    """An execution of the runbook `saved`."""
    scene.other("saved", block("one", "true"))
    made = services.start(
        scene.person("devops-engineer"),
        runbook="saved",
        environment="development",
        reason="nightly",
        checklist="confirmed",
    )
    scene.advance(made)
    Execution.objects.filter(pk=made.pk).update(**ended)


def test_a_recent_backup_is_verified(scene: Scene) -> None:
    scene.runbook(block("one", "true"), extra=ASKS)
    backed_up(scene)
    assert "saved do-it #" in item(scene, BACKUP).evidence


@pytest.mark.parametrize(
    "ended",
    [
        {"finished_at": timezone.now() - timezone.timedelta(hours=3)},
        {"state": "failed"},
        {"procedure": "another"},
    ],
)
def test_an_old_failed_or_other_one_is_none(scene: Scene, ended: dict[str, object]) -> None:
    scene.runbook(block("one", "true"), extra=ASKS)
    backed_up(scene, **ended)
    found = item(scene, BACKUP)
    assert not found.evidence
    assert "did not succeed in development within 2 h" in found.doubt


def test_without_a_word_of_the_document_people_confirm_the_backup(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    assert item(scene, BACKUP) == ChecklistDraft("Backup: recent backup verified and available")


def test_tools_are_verified_by_a_test_of_the_hosts_that_found_them(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    host = scene.environment.hosts.get()
    asked = {"host": host, "requested_by": scene.person("devops-engineer")}
    good = [{"name": "tools", "state": "ok", "text": "", "milliseconds": 1}]
    HostCheck.objects.create(**asked, tools=["echo"], done_at=timezone.now(), results=good)
    assert not item(scene, TOOLS).evidence
    tools = [
        "echo",
        "cat",
        "sleep",
        "true",
        "false",
        "printf",
        "touch",
        "kill",
        "sh",
        "mkdir",
        "seq",
    ]
    HostCheck.objects.create(**asked, tools=tools, done_at=timezone.now(), results=good)
    assert "found on here by the test" in item(scene, TOOLS).evidence


def test_tools_are_verified_by_a_dry_run_that_found_what_the_steps_call(scene: Scene) -> None:
    scene.runbook(block("one", "seq 3"))
    host = scene.environment.hosts.get()
    good = [{"name": "tools", "state": "ok", "text": "", "milliseconds": 1}]
    made = services.dry_run(
        scene.person("devops-engineer"), runbook="trial", environment=scene.environment.slug
    )
    assert [check.host for check in made.checks] == [host]
    HostCheck.objects.update(done_at=timezone.now(), results=good)
    assert "found on here by the test" in item(scene, TOOLS).evidence


def test_authorization_is_what_the_plan_asks_for(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    assert item(scene, AUTHORIZATION).evidence == "this plan needs no approval"
    scene.runbook(GATE + block("one", "true"))
    assert item(scene, AUTHORIZATION).evidence.startswith("1 approval gate asks for it")


def test_a_choice_is_no_verification(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    assert (item(scene, ENVIRONMENT).evidence, item(scene, ENVIRONMENT).doubt) == ("", "")


def test_a_step_without_a_way_back_is_told_and_not_verified(scene: Scene) -> None:
    scene.runbook(block("one", "true", "destructive"))
    assert item(scene, ROLLBACK).doubt == "1 step has no rollback step: nothing undoes them"
    scene.runbook(
        block("one", "true", "destructive rollback=back"), "### Back\n```bash {#back}\ntrue\n```\n"
    )
    assert item(scene, ROLLBACK).evidence == "1 rollback step in this plan"


def test_what_was_verified_is_stored_as_such_and_the_rest_with_a_name(scene: Scene) -> None:
    scene.runbook(block("one", "true"), extra=ASKS)
    marks = {m.position: m for m in scene.start().checklist.filter(moment="before")}
    assert marks[AUTHORIZATION].verified
    assert marks[AUTHORIZATION].evidence == "this plan needs no approval"
    assert marks[BACKUP].confirmed_by == scene.person("devops-engineer")
    assert "did not succeed" in marks[BACKUP].evidence
