"""Named locks: one holder, a visible queue, first come first served, nothing left behind."""

from cvdops.executions import locks, services
from cvdops.executions.models import Execution, Lock
from cvdops.executions.recovery import rescue
from tests.executions.scene import Scene
from tests.executions.test_engine import block

GATE = "```approval {#gate}\napprovers: [operations-manager]\n```\n\n"


def holders() -> dict[str, int]:
    return {lock.name: lock.execution.number for lock in Lock.objects.all()}


def held(scene: Scene) -> Execution:
    """An execution that holds the lock `db` and waits at its gate."""
    scene.runbook(f"#### gate\n\n{GATE}" + block("one", "true"), extra="locks: [db]\n")
    return scene.run()


def test_an_execution_holds_its_lock_until_its_end(scene: Scene) -> None:
    first = held(scene)
    assert holders() == {"db": first.number}
    scene.approve(first)
    scene.advance(first)
    rescue()
    assert (first.state, holders()) == ("succeeded", {})


def test_the_second_waits_and_says_for_whom(scene: Scene) -> None:
    held(scene)
    second = scene.run()
    assert second.state == "waiting"
    assert second.waiting_for["text"] == "Lock db, held by another execution"
    assert locks.queue("development", "db") == [second]


def test_the_queue_is_served_in_its_order(scene: Scene) -> None:
    first, second, third = held(scene), scene.run(), scene.run()
    services.cancel(scene.person("devops-engineer"), first.pk)
    rescue()
    for execution in (third, second):
        scene.advance(execution)
    assert holders() == {"db": second.number}
    assert third.waiting_for["code"] == "lock"


def test_a_step_holds_its_lock_only_while_it_runs(scene: Scene) -> None:
    scene.runbook(block("one", "true", "lock=db") + f"#### gate\n\n{GATE}")
    execution = scene.run()
    assert scene.states(execution)["one"] == "succeeded"
    assert holders() == {}


def test_a_step_waits_for_a_lock_and_has_not_begun(scene: Scene) -> None:
    held(scene)
    scene.runbook(block("one", "true", "lock=db"))
    execution = scene.run()
    assert execution.waiting_for["code"] == "lock"
    assert scene.states(execution) == {"one": "pending"}


def test_a_step_may_name_the_lock_of_its_own_execution(scene: Scene) -> None:
    scene.runbook(block("one", "true", "lock=db"), extra="locks: [db]\n")
    assert scene.run().state == "succeeded"


def test_what_waits_for_a_lock_can_be_cancelled(scene: Scene) -> None:
    held(scene)
    second = scene.run()
    services.cancel(scene.person("devops-engineer"), second.pk)
    second.refresh_from_db()
    assert second.state == "cancelled"
