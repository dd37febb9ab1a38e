"""What policies ask for before a start."""

import pytest

from cvdops.approvals.groups import Group
from cvdops.approvals.models import ApprovalPolicy
from cvdops.executions import launch
from cvdops.executions.demands import START
from cvdops.executions.models import Lock
from cvdops.executions.plan import Plan, digest, to_json
from tests.approvals.steps import block, gate
from tests.executions.scene import Scene

MANAGER, SECURITY = Group(("operations-manager",)), Group(("security-admin",))


def plan(scene: Scene, environment: str = "production", by: str = "operations-lead") -> Plan:
    found = launch.resolve(scene.person(by), "trial", environment, None, {})
    assert found.plan, found.problems
    return found.plan


def wanted(scene: Scene, *body: str, category: str = "deployment", **more: str) -> object:
    """The groups that have to agree before the start, or None."""
    scene.runbook("\n".join(body), category=category)
    demand = plan(scene, **more).gates.get(START)
    return demand and demand.groups


@pytest.mark.parametrize(
    ("category", "groups"),
    [
        ("deployment", (MANAGER,)),
        ("performance", (MANAGER,)),
        ("security", (MANAGER, SECURITY)),
        ("backup-restore", None),
        ("incidents", None),
    ],
)
def test_production_asks_for_what_the_design_says(
    category: str, groups: object, scene: Scene
) -> None:
    assert wanted(scene, block("one", "true"), category=category) == groups


def test_nothing_is_asked_for_in_development(scene: Scene) -> None:
    assert wanted(scene, block("one", "true"), environment="development") is None


def test_a_restore_in_production_asks_for_a_manager(scene: Scene) -> None:
    changing = block("one", "true", "destructive")
    assert wanted(scene, changing, category="backup-restore") == (MANAGER,)


def test_a_gate_before_the_first_change_that_asks_for_as_much_is_enough(scene: Scene) -> None:
    assert (
        wanted(scene, gate("go", "operations-manager"), block("one", "true", "destructive")) is None
    )


@pytest.mark.parametrize(
    "body",
    [
        (gate("go", "operations-manager, cto"), block("one", "true", "destructive")),
        (block("one", "true", "destructive"), gate("go", "operations-manager")),
        (gate("go", "operations-manager", 'when="ENVIRONMENT == x"'), block("one", "true")),
    ],
    ids=["wider", "after the change", "only sometimes"],
)
def test_a_gate_that_asks_for_less_is_not_enough(body: tuple[str, ...], scene: Scene) -> None:
    assert wanted(scene, *body) == (MANAGER,)


def test_a_gate_that_names_nobody_asks_for_those_of_the_policy(scene: Scene) -> None:
    scene.runbook(gate("go") + block("one", "true"), category="security")
    assert plan(scene).gates["go"].groups == (MANAGER, SECURITY)


def test_the_version_of_a_policy_is_part_of_the_digest(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    before = digest(to_json(plan(scene)))
    ApprovalPolicy.objects.filter(category="deployment").update(version=2)
    assert digest(to_json(plan(scene))) != before


def test_the_portals_own_step_cannot_be_taken(scene: Scene) -> None:
    scene.runbook(block(START, "true"))
    found = launch.resolve(scene.person("operations-lead"), "trial", "development", None, {})
    assert "keeps for itself" in str([problem.message for problem in found.problems])


def test_a_start_in_production_waits_for_its_approval_and_then_runs(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    waiting = scene.run(environment="production", confirm_environment="production")
    assert scene.states(waiting) == {START: "waiting", "one": "pending"}
    scene.approve(waiting)
    assert scene.advance(waiting).state == "succeeded"


@pytest.mark.parametrize("category", ["deployment", "security", "incidents"])
def test_in_an_emergency_those_are_asked_who_can_be_reached(category: str, scene: Scene) -> None:
    scene.runbook(block("one", "true"), category=category)
    lead = scene.person("operations-lead")
    found = launch.resolve(lead, "trial", "production", None, {}, emergency=True)
    demand = found.draft.gates[START]
    assert demand.groups == (Group(("operations-manager", "cto")),)
    assert demand.reason_required


def test_nothing_is_locked_before_the_start_is_approved(scene: Scene) -> None:
    scene.runbook(block("one", "true"), extra="locks: [database]\n")
    waiting = scene.run(environment="production", confirm_environment="production")
    assert not Lock.objects.exists()
    scene.approve(waiting)
    assert scene.advance(waiting).state == "succeeded"
