"""Runbooks that start runbooks: one child each time, with its own end; cancel passes down."""

from cvdops.executions import services
from cvdops.executions.models import Execution
from cvdops.executions.recovery import rescue
from tests.executions.scene import Scene
from tests.executions.test_control import at_work, begun
from tests.executions.test_engine import block

GATE = "#### gate\n\n```approval {#gate}\napprovers: [operations-manager]\n```\n\n"


def child_block(variables: str = "") -> str:
    """A step that starts the runbook `inner`."""
    body = f"runbook: inner\nprocedure: do-it\n{variables}"
    return f"#### call\n\n```runbook {{#call}}\n{body}```\n\n"


def child(execution: Execution) -> Execution:
    return Execution.objects.filter(parent__execution=execution).latest("parent_attempt")


def test_the_parent_waits_for_its_child_and_goes_on(scene: Scene) -> None:
    scene.other("inner", block("in", "echo inside"))
    scene.runbook(child_block() + block("two", "echo after"))
    execution = scene.run()
    assert execution.waiting_for["text"] == "The runbook that “call” started"
    scene.advance(child(execution))
    scene.advance(execution)
    assert (execution.state, child(execution).state) == ("succeeded", "succeeded")
    assert scene.output(execution, "two") == "after\n"


def test_values_of_the_session_reach_the_child(scene: Scene) -> None:
    scene.other("inner", block("in", 'echo "got ${NAME}"'), "variables: {NAME: {required: true}}\n")
    scene.runbook(block("one", "WHO=web") + child_block('variables: {NAME: "${WHO}-1"}\n'))
    execution = scene.run()
    found = scene.advance(child(execution))
    assert scene.output(found, "in") == "got web-1\n"


def test_a_value_that_the_child_refuses_fails_the_step(scene: Scene) -> None:
    scene.other("inner", block("in", "true"), 'variables: {NAME: {pattern: "[a-z]+"}}\n')
    scene.runbook(block("one", "WHO=web/1") + child_block('variables: {NAME: "${WHO}"}\n'))
    execution = scene.run()
    assert scene.states(execution)["call"] == "failed"
    assert "NAME" in scene.steps(execution)["call"].note


def test_a_failed_child_can_be_tried_again(scene: Scene) -> None:
    scene.other("inner", block("in", "false"))
    scene.runbook(child_block())
    execution = scene.run()
    first, engineer = scene.advance(child(execution)), scene.person("devops-engineer")
    services.give_up(engineer, first.pk)
    rescue()
    scene.advance(execution)
    assert scene.states(execution) == {"call": "failed"}
    services.retry(engineer, execution.pk, "call")
    scene.advance(execution)
    assert child(execution).parent_attempt == 2


def test_a_rejected_child_rejects_its_parent(scene: Scene) -> None:
    scene.other("inner", GATE + block("in", "true"))
    scene.runbook(child_block())
    execution = scene.run()
    inner = scene.advance(child(execution))
    request = scene.gate(inner)
    manager = scene.person("operations-manager")
    services.decide(manager, request.pk, "reject", "not today", request.plan_digest)
    scene.advance(inner)
    scene.advance(execution)
    assert (inner.state, execution.state) == ("rejected", "rejected")


def test_cancel_passes_down_and_comes_back_up(scene: Scene) -> None:
    scene.other("inner", GATE + block("in", "true"))
    scene.runbook(child_block() + block("two", "true"))
    execution = scene.run()
    inner = scene.advance(child(execution))
    services.cancel(scene.person("devops-engineer"), execution.pk)
    rescue()
    scene.advance(execution)
    inner.refresh_from_db()
    assert (inner.state, execution.state) == ("cancelled", "cancelled")
    assert scene.states(execution)["two"] == "pending"
    assert execution.outcome == "It was cancelled by Devops-Engineer at “call”."


def test_a_child_that_was_cancelled_by_itself_says_by_whom_to_its_parent(scene: Scene) -> None:
    scene.other("inner", block("in", "echo on; sleep 300"))
    scene.runbook(child_block())
    execution = scene.run()
    inner = child(execution)
    with at_work(inner):
        begun(scene, inner, "in")
        services.cancel(scene.person("devops-engineer"), inner.pk)
    assert inner.state == "cancelled"
    step = scene.steps(scene.advance(execution))["call"]
    said = f"Execution {inner} cancelled. It was cancelled by Devops-Engineer."
    assert (step.state, step.note) == ("failed", said)


def test_a_pause_takes_effect_after_the_child(scene: Scene) -> None:
    scene.other("inner", block("in", "true"))
    scene.runbook(child_block() + block("two", "true"))
    execution = scene.run()
    services.pause(scene.person("devops-engineer"), execution.pk)
    assert scene.advance(execution).state == "waiting"
    assert scene.advance(child(execution)).state == "succeeded"
    assert scene.advance(execution).state == "paused"
    assert scene.states(execution) == {"call": "succeeded", "two": "pending"}
    services.resume(scene.person("devops-engineer"), execution.pk)
    assert scene.advance(execution).state == "succeeded"


def test_a_cancel_that_follows_a_pause_is_obeyed(scene: Scene) -> None:
    scene.other("inner", block("in", "true"))
    scene.runbook(child_block() + block("two", "true"))
    execution = scene.run()
    services.pause(scene.person("devops-engineer"), execution.pk)
    services.cancel(scene.person("devops-engineer"), execution.pk)
    rescue()
    assert scene.advance(execution).state == "cancelled"


def test_a_child_takes_the_lock_that_its_parent_holds(scene: Scene) -> None:
    scene.other("inner", block("in", "true", "lock=db"))
    scene.runbook(child_block(), extra="locks: [db]\n")
    execution = scene.run()
    assert scene.advance(child(execution)).state == "succeeded"


def test_the_plan_of_the_child_is_part_of_what_is_approved(scene: Scene) -> None:
    scene.other("inner", block("in", "echo one"))
    scene.runbook(GATE + child_block())
    first = scene.start().plan_digest
    scene.other("inner", block("in", "echo two"))
    assert scene.start().plan_digest != first


def test_what_was_pinned_runs_though_the_child_has_changed(scene: Scene) -> None:
    scene.other("inner", block("in", "echo one"))
    scene.runbook(child_block())
    execution = scene.start()
    scene.other("inner", block("in", "echo two"))
    scene.advance(execution)
    inner = scene.advance(child(execution))
    assert scene.output(inner, "in") == "one\n"
