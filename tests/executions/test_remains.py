"""What can leave no result any more and runs all the same: nothing replaces, undoes or ends it before."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from cvdops.executions import context, finishing, plan, remains, services
from cvdops.executions.models import Execution, StepAttempt
from cvdops.lib import failpoints
from cvdops.lib.errors import Conflict
from cvdops.runners import local
from cvdops.runners.handle import read_claim
from cvdops.runners.ssh.transport import SPOOL
from tests.executions.scene import Scene
from tests.executions.test_control import at_work, begun, leave_alone
from tests.executions.test_engine import block
from tests.executions.test_tidying import Died, die
from tests.faults.truth import processes_of_attempts
from tests.sshd import Sshd
from tests.waiting import until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remains, "LOOK", 0.05)
    monkeypatch.setattr(finishing, "GRACE", 0.2)


@pytest.fixture
def spools(server: Sshd) -> dict[str, Path]:
    return {"here": Path(settings.SPOOL_DIR), "far": server.login.home / SPOOL}


def empty(spool: Path) -> None:
    """In one moment: a look in the middle of it would find something else."""
    gone = spool.rename(spool.with_name(f"{spool.name}-gone"))
    shutil.rmtree(gone)


def remove_job(spool: Path) -> None:
    for attempt in StepAttempt.objects.all():
        shutil.rmtree(spool / str(attempt.pk))


def left(execution: Execution) -> set[str]:
    """Attempts of it of which processes run."""
    attempts = StepAttempt.objects.filter(step__execution=execution)
    return {str(one.pk) for one in attempts} & set(processes_of_attempts())


def has_begun(execution: Execution) -> None:
    until(lambda: left(execution), what="its process")


def has_said_so(scene: Scene, execution: Execution) -> None:
    begun(scene, execution, "one")
    until(lambda: scene.output(execution, "one"), what="its output: its start is known")


def noticed(scene: Scene, execution: Execution) -> None:
    until(lambda: "it still runs on" in scene.steps(execution)["one"].note, what="the sentence")


def waits_for(go: Path, ran: Path) -> str:
    return f"echo ran >>'{ran}'; until test -e '{go}'; do sleep 0.02; done; echo over >>'{ran}'"


@pytest.mark.parametrize("target", ["here", "far"])
@pytest.mark.parametrize("lose", [empty, remove_job])
def test_it_is_interrupted_when_it_is_over(
    far: Scene, server: Sshd, spools: dict[str, Path], target: str, lose: Callable[[Path], None]
) -> None:
    folder = server.login.home
    go, ran = folder / "go", folder / "ran"
    for path in (go, ran):
        path.unlink(missing_ok=True)
    far.runbook(block("one", waits_for(go, ran), f"target={target}"))
    execution = far.start()
    leave_alone(execution, lambda: has_begun(execution))
    lose(spools[target])
    with at_work(execution):
        noticed(far, execution)
        assert far.states(execution) == {"one": "running"}
        go.touch()
    assert (execution.state, far.states(execution)) == ("waiting", {"one": "interrupted"})
    assert ran.read_text() == "ran\nover\n"


def test_one_whose_claim_is_lost_as_it_begins_is_followed_and_can_be_cancelled(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def removed(folder: Path) -> object:
        (folder / "pid").unlink(missing_ok=True)
        return read_claim(folder)

    monkeypatch.setattr(local, "read_claim", removed)
    monkeypatch.setattr(local, "_ENDING", 0.2)
    scene.runbook(block("one", "sleep 300"))
    execution = scene.start()
    with at_work(execution):
        noticed(scene, execution)
        note = scene.steps(execution)["one"].note
        assert note.startswith("Its job directory on here is gone. But it still runs on here")
        services.cancel(scene.person("devops-engineer"), execution.pk)
    assert (execution.state, left(execution)) == ("cancelled", set())


def test_one_whose_worker_died_while_it_stopped_it_is_cancelled(scene: Scene) -> None:
    scene.runbook(block("one", "echo begun; sleep 300"))
    execution = scene.start()
    leave_alone(execution, lambda: has_said_so(scene, execution))
    services.cancel(scene.person("devops-engineer"), execution.pk)
    transport = context.transport(plan.from_json(execution.plan).hosts["here"])
    attempt = str(StepAttempt.objects.get().pk)
    leader = transport.attach(attempt).leader
    assert leader
    os.kill(leader.pid, signal.SIGKILL)  # first, or it may tell yet how the step was killed
    assert transport.stop(attempt, leader, finishing.GRACE).gone  # and then the worker dies
    assert scene.advance(execution).state == "cancelled"
    step = scene.steps(execution)["one"]
    verified = "It was cancelled; its processes are gone, verified."
    assert (step.state, step.note) == ("cancelled", verified)


@pytest.mark.parametrize("target", ["here", "far"])
@pytest.mark.parametrize("asked", ["cancelled", "timed_out"])
def test_what_ended_by_the_stop_of_a_worker_that_died_then_has_not_failed(
    far: Scene, monkeypatch: pytest.MonkeyPatch, target: str, asked: str
) -> None:
    monkeypatch.setattr(finishing, "GRACE", 10.0)  # until it has written its exit code
    limit = "timeout=1s" if asked == "timed_out" else ""
    script = "trap 'exit 3' TERM; echo begun; sleep 300 & wait"
    far.runbook(block("one", script, f"target={target} {limit}"))
    execution = far.start()
    if asked == "cancelled":
        leave_alone(execution, lambda: has_said_so(far, execution))
        services.cancel(far.person("devops-engineer"), execution.pk)
    failpoints.arm("attempt.stopped", die)
    with pytest.raises(Died):
        far.advance(execution)
    Execution.objects.update(lease_until=execution.created_at)
    far.advance(execution)
    step = far.steps(execution)["one"]
    assert step.state == asked
    assert step.note.endswith("; its processes are gone, verified. Its exit code was 3.")


def test_it_is_not_undone_before_it_is_over(far: Scene, spools: dict[str, Path]) -> None:
    far.runbook(
        block("one", "echo begun; sleep 300", "target=far destructive rollback=undo"),
        rollback=block("undo", "true", "target=far"),
    )
    execution = far.start()
    lead = far.person("operations-lead")
    with at_work(execution):
        has_said_so(far, execution)
        empty(spools["far"])
        noticed(far, execution)
        for verb in (services.roll_back, services.give_up):
            with pytest.raises(Conflict):
                verb(lead, execution.pk)
        with pytest.raises(Conflict):
            services.retry(lead, execution.pk, "one")
        services.cancel(lead, execution.pk)
    assert (execution.state, left(execution)) == ("cancelled", set())
    assert "verified" in far.steps(execution)["one"].note


def test_an_idempotent_one_is_ended_before_it_is_tried_again(
    far: Scene, server: Sshd, spools: dict[str, Path]
) -> None:
    first = server.login.home / "first"
    first.unlink(missing_ok=True)
    # of one that is dead and only not yet fetched by its parent, the command line is empty
    script = f"""\
if test -e '{first}'; then grep -qs . "/proc/$(cat '{first}')/cmdline" && echo beside; exit 0; fi
echo $$ >'{first}'; rm -r '{spools["far"]}'; sleep 300"""
    far.runbook(block("one", script, "target=far idempotent"))
    execution = far.run()
    assert (execution.state, far.steps(execution)["one"].attempt_count) == ("succeeded", 2)
    assert far.output(execution, "one") == ""
    assert left(execution) == set()


@pytest.mark.parametrize("target", ["here", "far"])
def test_one_that_nobody_has_looked_at_is_ended_before_a_retry(far: Scene, target: str) -> None:
    far.runbook(block("one", "sleep 300", f"target={target}"))
    execution = far.start()
    leave_alone(execution, lambda: has_begun(execution))
    first = left(execution)
    execution.steps.update(state="interrupted")  # as after a restore
    StepAttempt.objects.update(state="interrupted")
    waits = {"code": "step", "text": "a restore", "step": "one"}
    Execution.objects.filter(pk=execution.pk).update(state="waiting", waiting_for=waits)
    services.retry(far.person("devops-engineer"), execution.pk, "one")
    with at_work(execution):
        until(lambda: StepAttempt.objects.count() == 2, what="the second try")
        until(lambda: left(execution), what="its process")
        assert left(execution).isdisjoint(first)
        services.cancel(far.person("devops-engineer"), execution.pk)
    assert left(execution) == set()
