"""F15: what is cancelled is gone, however its processes hide; and what cannot be asked is not called gone."""

import pytest

from cvdops.environments.models import Host
from cvdops.executions import finishing, services, stops
from cvdops.executions.models import Execution
from tests.executions.test_control import at_work
from tests.executions.test_engine import block
from tests.faults.conftest import add_host
from tests.faults.rig import Rig
from tests.faults.truth import processes_of_attempts
from tests.proxy import Proxy
from tests.sshd import Sshd
from tests.waiting import until

TREE = """
trap '' TERM HUP INT
(setsid sh -c 'trap "" TERM; while :; do sleep 300; done' &)
(nohup sh -c '(trap "" TERM; sleep 300 &) & exec sleep 300' >/dev/null 2>&1 &)
(setsid nohup sh -c '(setsid sh -c "trap \\"\\" TERM; sleep 300" &) & exec sleep 300' >/dev/null 2>&1 &)
export CHAIN='sleep 0.3; (setsid bash -c "$CHAIN" &)'
for _ in 1 2 3; do (setsid bash -c "$CHAIN" &); done
echo planted
while :; do sleep 300; done"""
CONFIRMED = (
    20.0  # seconds after the grace, of which 15 are for a machine that is busy with ten such trees
)


def plant(rig: Rig, *targets: str) -> list[Execution]:
    """Executions whose step has grown its tree there."""
    started = []
    for target in targets:
        rig.runbook(block("one", "note() { :; }" + TREE, f"target={target}"))
        started += rig.start()
    return started


def planted(rig: Rig, execution: Execution) -> None:
    def said() -> bool:
        attempt = execution.steps.get().attempts.first()
        return attempt is not None and "planted" in rig.scene.output(execution, "one")

    until(said, what="the tree")


def cancel(rig: Rig, execution: Execution) -> None:
    planted(rig, execution)
    services.cancel(rig.scene.person("operations-lead"), execution.pk)


def assert_gone(rig: Rig, execution: Execution) -> None:
    execution.refresh_from_db()
    step = execution.steps.get()
    assert (execution.state, step.state) == ("cancelled", "cancelled")
    assert "verified" in step.note
    assert str(step.attempts.get().pk) not in processes_of_attempts()


def test_a_cancelled_tree_is_gone(rig: Rig, far: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finishing, "GRACE", 0.2)
    here, there = plant(rig, "here", "far")
    with at_work(here), at_work(there):
        cancel(rig, here)
        cancel(rig, there)
    assert_gone(rig, here)
    assert_gone(rig, there)
    rig.truth([here, there])


@pytest.mark.faults
def test_fifty_cancelled_trees_are_gone(rig: Rig, far: Host) -> None:
    with rig.workers():
        for _ in range(5):
            started = plant(rig, *["here", "far"] * 5)
            for execution in started:
                cancel(rig, execution)
            left = Execution.objects.exclude(state="cancelled")
            until(lambda: not left.exists(), finishing.GRACE + CONFIRMED, "the last cancel")
            for execution in started:
                assert_gone(rig, execution)
            rig.truth(started)


def test_a_tree_behind_a_cut_connection_is_not_called_gone(
    rig: Rig, server: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stops, "GRACE", 0.2)
    proxy = Proxy(server.port)
    add_host(rig, server, proxy.port)
    [execution] = plant(rig, "far")
    with at_work(execution):
        planted(rig, execution)
        proxy.cut(refuse=True)
        services.cancel(rig.scene.person("operations-lead"), execution.pk)
    assert execution.waiting_for["text"] == "Cancel not confirmed on far"
    rig.truth([execution])
    proxy.mend()

    def looked_again() -> bool:
        Execution.objects.filter(pk=execution.pk).update(due_at=execution.created_at)
        return rig.scene.advance(execution).state == "cancelled"

    until(looked_again, what="the confirmation of the cancel")
    assert_gone(rig, execution)
    proxy.close()
