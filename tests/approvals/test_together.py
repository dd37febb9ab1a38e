"""Deciding while something changes at the same moment: one consistent result, and the second is told."""

from functools import partial

import pytest

from cvdops.approvals.models import ApprovalRequest
from cvdops.executions import services
from cvdops.executions.demands import START
from tests.approvals.steps import block
from tests.approvals.test_separation import asked
from tests.executions.scene import Scene
from tests.executions.test_races import ROUNDS, together, told

MANAGER = "operations-manager"


@pytest.mark.parametrize("rounds", ROUNDS)
def test_an_approval_and_an_edit(rounds: int, scene: Scene) -> None:
    """Either it is decided on what was seen, and void before anything runs; or it is asked for anew."""
    manager = scene.person(MANAGER)
    execution = asked(scene)
    variable = execution.environment.variables.create(name="COMMON", value="0")
    for number in range(rounds):
        execution = scene.run(environment="production", confirm_environment="production")
        request = scene.gate(execution)

        def edit(value: str = f"edit {number}") -> None:
            variable.value = value
            variable.save()

        together(
            partial(services.decide, manager, request.pk, "approve", "", request.plan_digest), edit
        )
        scene.advance(execution)
        requests = ApprovalRequest.objects.filter(execution_id=execution.pk).order_by("created_at")
        assert [r.state for r in requests] == ["void", "open"]
        assert "COMMON" in requests[0].void_reason
        assert scene.states(execution) == {START: "waiting", "one": "pending"}


@pytest.mark.parametrize("rounds", ROUNDS)
def test_an_approval_and_a_cancel(rounds: int, scene: Scene) -> None:
    manager, engineer = scene.person(MANAGER), scene.person("devops-engineer")
    scene.runbook(block("one", "true"))
    for _ in range(rounds):
        execution = scene.run(environment="production", confirm_environment="production")
        request = scene.gate(execution)
        results = together(
            partial(services.decide, manager, request.pk, "approve", "", request.plan_digest),
            partial(services.cancel, engineer, execution.pk),
        )
        assert len(told(results)) <= 1
        assert scene.advance(execution).state == "cancelled"
        assert scene.states(execution)["one"] in {"pending", "cancelled"}
