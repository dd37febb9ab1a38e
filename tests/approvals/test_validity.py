"""What was decided is looked at again when the execution goes on."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from cvdops.access.models import RoleGrant
from cvdops.accounts.models import User
from cvdops.approvals.models import ApprovalRequest
from cvdops.executions import services
from cvdops.executions.demands import START
from cvdops.executions.models import Execution
from tests.approvals.steps import block, gate
from tests.approvals.test_separation import also, asked, decide
from tests.executions.scene import Scene

MANAGER = "operations-manager"


def end(role: str) -> None:
    """The role ended a second ago."""
    second = timedelta(seconds=1)
    RoleGrant.objects.filter(role=role).update(starts_at=Now() - 2 * second, ends_at=Now() - second)


def approved(scene: Scene) -> Execution:
    execution = asked(scene)
    scene.approve(execution)
    return execution


def reason(execution: Execution) -> str:
    """Why the first request does not count."""
    request = ApprovalRequest.objects.filter(execution_id=execution.pk).earliest("created_at")
    assert request.state == "void"
    return request.void_reason


def asks_anew(scene: Scene, execution: Execution) -> bool:
    waits = scene.advance(execution).waiting_for["code"] == "approval"
    return waits and scene.states(execution) == {START: "waiting", "one": "pending"}


def test_a_role_that_ended_since_makes_the_decision_void_and_it_is_asked_for_anew(
    scene: Scene,
) -> None:
    execution = approved(scene)
    end(MANAGER)
    assert asks_anew(scene, execution)
    assert reason(execution) == (
        "Operations-Manager approved it, and has not the right to any more."
    )


def test_a_deactivated_approver_counts_no_more(scene: Scene) -> None:
    execution = approved(scene)
    User.objects.filter(username=MANAGER).update(is_active=False)
    assert asks_anew(scene, execution)


def test_who_approved_and_then_has_a_part_in_running_it_made_it_void(scene: Scene) -> None:
    execution = approved(scene)
    manager = also(scene.person(MANAGER), "devops-engineer")
    services.pause(manager, execution.pk)
    services.resume(manager, execution.pk)
    assert asks_anew(scene, execution)
    assert "had a part in running it" in reason(execution)


def test_an_approval_holds_for_as_long_as_there_was_to_decide(scene: Scene) -> None:
    execution = approved(scene)
    hours = timedelta(hours=9)
    ApprovalRequest.objects.update(
        created_at=F("created_at") - hours,
        expires_at=F("expires_at") - hours,
        closed_at=F("closed_at") - hours,
    )
    assert asks_anew(scene, execution)
    assert reason(execution) == "It was given too long ago to begin now."


def test_a_second_approval_lets_it_go_on(scene: Scene) -> None:
    execution = approved(scene)
    scene.environment.variables.create(name="OTHER", value="1")  # elsewhere: no matter
    grant = RoleGrant.objects.get(role=MANAGER)
    end(MANAGER)
    assert asks_anew(scene, execution)
    RoleGrant.objects.filter(pk=grant.pk).update(starts_at=None, ends_at=None)
    scene.approve(execution)
    assert scene.advance(execution).state == "succeeded"


def test_what_has_begun_is_not_stopped_by_a_role_that_ends(scene: Scene) -> None:
    change = block("one", "true", "destructive")
    scene.runbook(change + gate("more", MANAGER) + block("two", "true"))
    execution = scene.run(environment="production", confirm_environment="production")
    scene.approve(execution)
    scene.advance(execution)  # to the second gate
    request = scene.gate(execution)
    end(MANAGER)
    assert request.gate == "more"
    assert scene.advance(execution).waiting_for["step"] == "more"


def test_who_resumes_needs_an_approval_that_still_holds(scene: Scene) -> None:
    scene.runbook(block("one", "true") + block("two", "false"))
    execution = scene.run(environment="production", confirm_environment="production")
    scene.approve(execution)
    assert scene.advance(execution).waiting_for["code"] == "step"
    end(MANAGER)
    services.retry(scene.person("devops-engineer"), execution.pk, "two")
    assert scene.advance(execution).waiting_for["code"] == "approval"
    assert scene.states(execution) == {START: "waiting", "one": "succeeded", "two": "pending"}


def test_a_decision_after_the_time_to_decide_is_refused(scene: Scene) -> None:
    execution = asked(scene)
    ApprovalRequest.objects.update(expires_at=Now())
    with pytest.raises(Exception, match="Nobody may decide it any more"):
        decide(scene, scene.person(MANAGER), execution)


def test_a_step_in_production_is_not_begun_for_who_may_run_it_no_more(scene: Scene) -> None:
    execution = approved(scene)
    end("devops-engineer")
    waiting = scene.advance(execution)
    assert waiting.waiting_for["code"] == "right"
    assert "Devops-Engineer may not run this any more" in waiting.waiting_for["text"]
    services.resume(scene.person("operations-lead"), execution.pk)
    assert scene.advance(execution).state == "succeeded"


def test_who_goes_on_reads_why_who_began_it_may_not_in_words_about_that_person(
    scene: Scene,
) -> None:
    execution = approved(scene)
    User.objects.filter(pk=scene.person("devops-engineer").pk).update(is_active=False)
    text = scene.advance(execution).waiting_for["text"]
    assert "may not run this any more: The account is closed. Who may" in text


def test_a_right_that_ended_is_told_by_name(scene: Scene) -> None:
    execution = approved(scene)
    end("devops-engineer")
    text = scene.advance(execution).waiting_for["text"]
    assert "Devops-Engineer has None" in text and " you " not in text
