"""Two people press at once: one effect, and the other is told."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from cvdops.approvals.models import Decision
from cvdops.executions import services
from cvdops.executions.models import Execution
from cvdops.lib.errors import Conflict
from tests.executions.scene import Scene
from tests.executions.test_engine import block

ROUNDS = 5


def together(*verbs: Callable[[], object]) -> list[object]:
    """Press all at the same moment; the results, a Conflict where somebody was told so."""
    barrier = Barrier(len(verbs))

    def press(verb: Callable[[], object]) -> object:
        try:
            barrier.wait()
            return verb()
        except Conflict as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(press, verbs))


def told(results: list[object]) -> int:
    return sum(isinstance(result, Conflict) for result in results)


@pytest.fixture
def gated(scene: Scene) -> Scene:
    """A runbook whose first step is a gate."""
    gate = block("gate", "approvers: [operations-manager, cto]", kind="approval")
    scene.runbook(gate + block("after", "true"))
    return scene


@pytest.mark.parametrize("second", ["approve", "reject"])
def test_two_decisions(gated: Scene, second: str) -> None:
    for _ in range(ROUNDS):
        execution = gated.run()
        request = gated.gate(execution)
        manager, cto = gated.person("operations-manager"), gated.person("cto")
        results = together(
            lambda: services.decide(manager, request.pk, "approve", "", request.plan_digest),
            lambda: services.decide(cto, request.pk, second, "why", request.plan_digest),
        )
        assert told(results) == 1
        assert Decision.objects.filter(request=request).count() == 1


def test_a_decision_and_a_cancel(gated: Scene) -> None:
    for _ in range(ROUNDS):
        execution = gated.run()
        request = gated.gate(execution)
        manager, engineer = gated.person("operations-manager"), gated.person("devops-engineer")
        together(
            lambda: services.decide(manager, request.pk, "approve", "", request.plan_digest),
            lambda: services.cancel(engineer, execution.pk),
        )
        execution.refresh_from_db()
        assert execution.state == "cancelled"  # a queued execution can still be cancelled
        assert gated.states(execution)["after"] == "pending"


def test_two_retries(scene: Scene) -> None:
    scene.runbook(block("one", "false"))
    for _ in range(ROUNDS):
        execution = scene.run()
        step = scene.steps(execution)["one"]
        engineer, lead = scene.person("devops-engineer"), scene.person("operations-lead")
        results = together(
            lambda: services.retry(engineer, execution.pk, step.pk),
            lambda: services.skip(lead, execution.pk, step.pk, "not needed"),
        )
        assert told(results) == 1
        assert execution.events.filter(kind__in=["step.retry", "step.skip"]).count() == 1


def test_two_starts_with_one_key_are_one_execution(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    scene.person("devops-engineer")
    for number in range(ROUNDS):
        key = f"key-{number}"
        started = together(*[lambda: scene.start(idempotency_key=key)] * 2)
        assert len({execution.pk for execution in started}) == 1
    assert Execution.objects.count() == ROUNDS


def test_pause_and_cancel(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    for _ in range(ROUNDS):
        execution = scene.start()
        engineer, lead = scene.person("devops-engineer"), scene.person("operations-lead")
        together(
            lambda: services.pause(engineer, execution.pk),
            lambda: services.cancel(lead, execution.pk),
        )
        execution.refresh_from_db()
        assert execution.state == "cancelled"
