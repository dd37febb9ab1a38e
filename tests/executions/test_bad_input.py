"""What bad input gets: a clear error, and nothing is changed."""

import pytest

from cvdops.approvals.models import ApprovalRequest
from cvdops.executions import services
from cvdops.executions.models import Execution
from cvdops.lib.errors import Conflict, Invalid, NotFound, Refused
from tests.executions.scene import Scene
from tests.executions.test_engine import block

VARIABLES = "variables: {COUNT: {type: integer, required: true, minimum: 1}}\n"


@pytest.fixture
def counted(scene: Scene) -> Scene:
    scene.runbook(block("one", 'echo "${COUNT}"'), extra=VARIABLES)
    return scene


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"procedure": "nothing"}, "procedure"),
        ({"variables": {"COUNT": "many"}}, "COUNT"),
        ({"variables": {"COUNT": "0"}}, "COUNT"),
        ({"variables": {}}, "COUNT"),
        ({"variables": {"COUNT": "1", "OTHER": "x"}}, "OTHER"),
        ({"variables": {"COUNT": "1\n2"}}, "COUNT"),
        ({"checklist": ()}, "checklist.1"),
        ({"reason": " "}, "reason"),
    ],
)
def test_a_start_names_what_is_wrong(counted: Scene, given: dict, field: str) -> None:
    with pytest.raises(Invalid) as error:
        counted.start(**{"variables": {"COUNT": "1"}, **given})
    assert field in {problem.field for problem in error.value.problems}
    assert not Execution.objects.exists()


def test_unknown_runbooks_and_environments(counted: Scene) -> None:
    engineer = counted.person("devops-engineer")
    with pytest.raises(NotFound):
        services.start(engineer, runbook="nothing", environment="development")
    with pytest.raises(Invalid, match="There is no environment"):
        services.start(engineer, runbook="trial", environment="nowhere")


def test_a_developer_may_not_start_a_deployment(counted: Scene) -> None:
    with pytest.raises(Refused, match="needs Execute"):
        counted.start(by="developer", variables={"COUNT": "1"})
    assert not Execution.objects.exists()


def test_a_protected_environment_wants_its_name_typed(counted: Scene) -> None:
    environment = counted.environment
    environment.protected = True
    environment.save()
    with pytest.raises(Invalid, match="Type development"):
        counted.start(variables={"COUNT": "1"}, confirm_environment="Development")
    assert counted.start(variables={"COUNT": "1"}, confirm_environment="development")


@pytest.fixture
def gate(scene: Scene) -> ApprovalRequest:
    scene.runbook(block("gate", "approvers: [operations-manager]", kind="approval"))
    return scene.gate(scene.run())


def test_nobody_approves_what_they_asked_for_under_any_role(
    scene: Scene, gate: ApprovalRequest
) -> None:
    engineer = scene.person("devops-engineer")
    engineer.grants.create(role_id="operations-manager")
    with pytest.raises(Refused, match="nobody approves what they have a part in"):
        services.decide(engineer, gate.pk, "approve", "", gate.plan_digest)


def test_a_second_account_of_the_same_person_does_not_help(
    scene: Scene, gate: ApprovalRequest
) -> None:
    manager = scene.person("operations-manager")
    manager.person = scene.person("devops-engineer").person
    manager.save()
    with pytest.raises(Refused, match="nobody approves what they have a part in"):
        services.decide(manager, gate.pk, "approve", "", gate.plan_digest)


@pytest.mark.parametrize("role", ["operations-lead", "cto", "auditor", "admin", "developer"])
def test_only_the_named_role_decides(scene: Scene, gate: ApprovalRequest, role: str) -> None:
    with pytest.raises(Refused, match="Operations Manager"):
        services.decide(scene.person(role), gate.pk, "approve", "", gate.plan_digest)
    gate.refresh_from_db()
    assert gate.state == "open"


def test_a_decision_needs_the_digest_that_was_shown(scene: Scene, gate: ApprovalRequest) -> None:
    manager = scene.person("operations-manager")
    with pytest.raises(Conflict, match="has another plan digest"):
        services.decide(manager, gate.pk, "approve", "", "0" * 64)


def test_a_rejection_needs_a_reason_and_ends_the_execution(
    scene: Scene, gate: ApprovalRequest
) -> None:
    manager = scene.person("operations-manager")
    with pytest.raises(Invalid, match="Say why"):
        services.decide(manager, gate.pk, "reject", "", gate.plan_digest)
    services.decide(manager, gate.pk, "reject", "not today", gate.plan_digest)
    execution = scene.advance(Execution.objects.get(pk=gate.execution_id))
    assert execution.state == "rejected"


def test_a_decided_request_says_by_whom(scene: Scene, gate: ApprovalRequest) -> None:
    manager = scene.person("operations-manager")
    services.decide(manager, gate.pk, "approve", "", gate.plan_digest)
    with pytest.raises(Conflict, match="approved already, by Operations-Manager"):
        services.decide(manager, gate.pk, "approve", "", gate.plan_digest)
