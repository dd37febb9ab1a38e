"""A step on several hosts: at once or rolling, each with its own state, output and variables."""

import re
from pathlib import Path

import pytest

from cvdops.executions import output, services
from cvdops.executions.models import Execution, StepAttempt
from cvdops.lib.errors import Conflict, Invalid
from tests.executions.scene import Scene
from tests.executions.test_control import at_work
from tests.executions.test_engine import block
from tests.waiting import until


@pytest.fixture
def fleet(scene: Scene) -> Scene:
    """Three hosts, all of them this machine, and a group of them."""
    hosts = [scene.environment.hosts.create(name=f"web-{n}", transport="local") for n in (1, 2, 3)]
    scene.environment.groups.create(name="web").hosts.set(hosts)
    return scene


def outputs(execution: Execution) -> dict[str, str]:
    attempts = StepAttempt.objects.filter(step__execution=execution).select_related("step")
    return {a.step.host: output.read(a.pk).decode() for a in attempts}


def states(execution: Execution, key: str) -> list[str]:
    return list(execution.steps.filter(key=key).values_list("state", flat=True))


def test_a_group_runs_the_step_on_each_of_its_hosts(fleet: Scene) -> None:
    fleet.runbook(block("one", "echo here", "target=web"))
    execution = fleet.run()
    assert execution.state == "succeeded"
    assert outputs(execution) == dict.fromkeys(["web-1", "web-2", "web-3"], "here\n")


def test_the_hosts_of_a_group_run_at_the_same_time(fleet: Scene, tmp_path: Path) -> None:
    mine = f"'{tmp_path}'/$$.here"
    wait = f"touch {mine}; until [ $(ls '{tmp_path}'/*.here | wc -l) = 3 ]; do sleep 0.02; done"
    fleet.runbook(block("one", wait, "target=web timeout=120s"))
    assert fleet.run().state == "succeeded"


def test_a_batch_rolls_and_stops_at_the_first_that_fails(fleet: Scene, tmp_path: Path) -> None:
    script = f"echo x >> '{tmp_path}/n'; [ $(wc -l < '{tmp_path}/n') -lt 2 ]"
    fleet.runbook(block("one", script, "target=web batch=1"))
    execution = fleet.run()
    assert states(execution, "one") == ["succeeded", "failed", "pending"]
    assert execution.state == "waiting"
    assert "web-2" in execution.waiting_for["text"]


def test_a_retry_on_one_host_leaves_the_others_alone(fleet: Scene, tmp_path: Path) -> None:
    script = f"echo x >> '{tmp_path}/n'; [ $(wc -l < '{tmp_path}/n') != 2 ]"
    fleet.runbook(block("one", script, "target=web batch=1"))
    execution = fleet.run()
    failed = execution.steps.get(state="failed")
    services.retry(fleet.person("devops-engineer"), execution.pk, failed.pk)
    fleet.advance(execution)
    assert execution.state == "succeeded"
    counts = execution.steps.order_by("lane").values_list("attempt_count", flat=True)
    assert list(counts) == [1, 2, 1]


def test_a_host_that_waits_for_its_batch_has_nothing_to_retry(fleet: Scene, tmp_path: Path) -> None:
    script = f"echo x >> '{tmp_path}/n'; [ $(wc -l < '{tmp_path}/n') != 2 ]"
    fleet.runbook(block("one", script, "target=web batch=1"))
    execution = fleet.run()
    engineer = fleet.person("devops-engineer")
    later = execution.steps.get(state="pending")
    said = (
        "“one” has not begun on web-3: it waits for the batch before it, web-2 (failed). "
        "It begins by itself when that one is done."
    )
    with pytest.raises(Conflict, match=re.escape(said)) as told:
        services.retry(engineer, execution.pk, later.pk)
    assert told.value.title == "It has not begun"


def test_what_failed_is_not_retried_before_its_batch_is_over(fleet: Scene, tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = f"mkdir '{tmp_path}/first' && exit 3; until [ -e '{go}' ]; do sleep 0.02; done"
    fleet.runbook(block("one", script, "target=web"))
    execution = fleet.start()
    engineer = fleet.person("devops-engineer")
    with at_work(execution):
        until(lambda: "failed" in states(execution, "one"), what="the one that fails")
        failed = execution.steps.get(state="failed")
        with pytest.raises(
            Conflict, match="its batch is not over: wait until it has ended on web-"
        ):
            services.retry(engineer, execution.pk, failed.pk)
        go.touch()
    services.retry(engineer, execution.pk, failed.pk)
    assert fleet.advance(execution).state == "succeeded"


def test_variables_stay_on_the_host_that_set_them(fleet: Scene, tmp_path: Path) -> None:
    first = f"NAME=$(mkdir '{tmp_path}/first' 2>/dev/null && echo first || echo other)"
    fleet.runbook(
        block("one", first, "target=web batch=1") + block("two", 'echo "${NAME}"', "target=web")
    )
    execution = fleet.run()
    found = [output.read(s.attempts.get().pk) for s in execution.steps.filter(key="two")]
    assert found == [b"first\n", b"other\n", b"other\n"]


def test_each_host_is_undone(fleet: Scene, tmp_path: Path) -> None:
    fleet.runbook(
        block("one", "true", "target=web destructive rollback=undo") + block("two", "false"),
        rollback=block("undo", f"echo x >> '{tmp_path}/undone'"),
    )
    execution = fleet.run()
    services.roll_back(fleet.person("devops-engineer"), execution.pk)
    fleet.advance(execution)
    assert execution.state == "rolled_back"
    assert (tmp_path / "undone").read_text().count("x") == 3


def test_a_target_that_nobody_knows_is_named_before_the_start(fleet: Scene) -> None:
    fleet.runbook(block("one", "true", "target=db"))
    with pytest.raises(Invalid, match="runs on db"):
        fleet.start()


def test_a_host_whose_key_nobody_confirmed_is_refused(fleet: Scene) -> None:
    fleet.environment.hosts.create(name="far", transport="ssh", address="192.0.2.1")
    fleet.runbook(block("one", "true", "target=far"))
    with pytest.raises(Invalid, match="confirmed the key of far"):
        fleet.start()
