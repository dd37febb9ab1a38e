"""Separation of duties: who has a part in an execution does not approve it, whatever roles they hold."""

import pytest

from cvdops.access.models import Role, RoleGrant
from cvdops.accounts.models import User
from cvdops.catalog.models import RunbookVersion
from cvdops.executions import services
from cvdops.executions.deciders import inbox
from cvdops.executions.models import Execution
from cvdops.lib.errors import Conflict, Refused
from tests.approvals.steps import block, gate
from tests.executions.scene import Scene


def also(user: User, *roles: str) -> User:
    for role in roles:
        RoleGrant.objects.create(user=user, role=Role.objects.get(pk=role))
    return user


def asked(scene: Scene, environment: str = "production", **given: object) -> Execution:
    """An execution at the gate that its policy asks for."""
    scene.runbook(block("one", "true"))
    return scene.run(environment=environment, confirm_environment=environment, **given)


def decide(scene: Scene, user: User, execution: Execution, verdict: str = "approve") -> None:
    request = scene.gate(execution)
    services.decide(user, request.pk, verdict, "because", request.plan_digest)


def refused(scene: Scene, user: User, execution: Execution) -> str:
    """Why this person may not decide; it is not in their inbox either."""
    assert scene.gate(execution) not in inbox(user)
    with pytest.raises(Refused) as told:
        decide(scene, user, execution)
    return str(told.value)


def test_who_asked_for_it_does_not_approve_it_under_any_role(scene: Scene) -> None:
    execution = asked(scene)
    every = [role.pk for role in Role.objects.all()]
    mine = also(scene.person("devops-engineer"), *every)
    assert "You asked for it" in refused(scene, mine, execution)


def test_two_accounts_of_one_person_are_one_person(scene: Scene) -> None:
    execution = asked(scene)
    other = also(User.objects.create_user("second", "Second", "x" * 12), "operations-manager")
    User.objects.filter(pk=other.pk).update(person=scene.person("devops-engineer").person)
    other.refresh_from_db()
    assert "You asked for it" in refused(scene, other, execution)


def test_who_had_a_part_in_running_it_does_not_approve_it(scene: Scene) -> None:
    manager = also(scene.person("operations-manager"), "devops-engineer")
    scene.runbook(gate("go", "operations-manager") + block("one", "true"))
    execution = scene.start()
    services.pause(manager, execution.pk)
    services.resume(scene.person("devops-engineer"), execution.pk)
    scene.advance(execution)
    assert "had a part in running it" in refused(scene, manager, execution)


@pytest.mark.parametrize("name", ["Operations-Manager", "manager@example.com"])
def test_who_wrote_the_version_does_not_approve_it_in_production(name: str, scene: Scene) -> None:
    manager = scene.person("operations-manager")
    User.objects.filter(pk=manager.pk).update(email="manager@example.com")
    execution = asked(scene)
    RunbookVersion.objects.update(author=name, author_email=name)
    assert "wrote what runs" in refused(scene, manager, execution)


def test_who_wrote_the_version_may_approve_it_elsewhere(scene: Scene) -> None:
    scene.runbook(gate("go", "operations-manager") + block("one", "true"))
    execution = scene.run()
    RunbookVersion.objects.update(author="Operations-Manager")
    scene.approve(execution)
    assert scene.advance(execution).state == "succeeded"


def test_who_wrote_a_runbook_that_it_starts_does_not_approve_it(scene: Scene) -> None:
    scene.other("child", block("inner", "true"))
    child = "#### c\n\n```runbook {#c}\nrunbook: child\n```\n\n"
    scene.runbook(child, category="performance")
    execution = scene.run(environment="production", confirm_environment="production")
    RunbookVersion.objects.filter(runbook="child").update(author="Operations-Manager")
    assert "wrote what runs" in refused(scene, scene.person("operations-manager"), execution)


@pytest.mark.parametrize(
    "role", ["operations-lead", "system-admin", "developer", "auditor", "admin", "cto"]
)
def test_nobody_else_approves_and_no_administrator(role: str, scene: Scene) -> None:
    execution = asked(scene)
    assert "Deciding here is for: Operations Manager." in refused(
        scene, scene.person(role), execution
    )


def test_two_groups_need_two_persons_and_show_each_ones_progress(scene: Scene) -> None:
    scene.runbook(block("one", "true"), category="security")
    execution = scene.run(
        by="system-admin", environment="production", confirm_environment="production"
    )
    both = also(scene.person("security-admin"), "operations-manager")
    decide(scene, both, execution)
    execution.refresh_from_db()
    assert execution.waiting_for["text"] == "Approval 1 of 2: Approval to start"
    with pytest.raises(Conflict, match="already decided"):
        decide(scene, both, execution)
    decide(scene, scene.person("operations-manager"), execution)
    assert scene.advance(execution).state == "succeeded"


def test_a_rejected_start_is_rejected_and_not_failed(scene: Scene) -> None:
    execution = asked(scene)
    decide(scene, scene.person("operations-manager"), execution, "reject")
    assert scene.advance(execution).state == "rejected"
