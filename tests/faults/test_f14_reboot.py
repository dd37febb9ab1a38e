"""F14: a target is restarted in the middle of steps, its spool kept, emptied or that of another machine."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings

from cvdops.environments.models import Host
from cvdops.executions.models import Execution, StepAttempt
from cvdops.runners.processes import boot_id
from cvdops.runners.ssh.transport import SPOOL
from tests.faults.rig import Rig
from tests.faults.truth import processes_of_attempts
from tests.sshd import Sshd, ssh_server
from tests.waiting import until

HOSTS = "here", "far"
BEFORE = "00000000-before-the-restart"


@pytest.fixture
def server() -> Iterator[Sshd]:
    """One for each test: its spool is looked through."""
    with ssh_server() as running:
        yield running


def spools(server: Sshd) -> list[Path]:
    return [settings.SPOOL_DIR, server.login.home / SPOOL]


def end(pid: int) -> None:
    with suppress(ProcessLookupError):  # it may just have ended by itself
        os.kill(pid, signal.SIGKILL)


def reboot(spools: list[Path], executions: list[Execution]) -> None:
    """As the machines are afterwards: no process is left, and what was written is of another boot."""
    attempts = StepAttempt.objects.filter(step__execution__in=executions)
    running = processes_of_attempts()
    for attempt in attempts:
        for pid in running.get(str(attempt.pk), []):
            end(pid)
    for claim in (claim for spool in spools for claim in spool.glob("*/pid")):
        claim.write_text(claim.read_text().replace(boot_id(), BEFORE))
    attempts.update(boot_id=BEFORE)


def left_alone(rig: Rig) -> tuple[list[Execution], list[Execution]]:
    """On each host a step that ended and one that runs on, since nobody watches."""
    ended, running = [], []
    with rig.workers(1, CVDOPS_SPOOL=str(settings.SPOOL_DIR)):
        for host in HOSTS:
            rig.runbook(rig.step("one", f"target={host}", seconds=3))
            ended += rig.start()
            rig.runbook(rig.step("one", f"target={host}", seconds=60))
            running += rig.start()
        until(lambda: words(rig).count("begin") == 4, what="their beginning")
    until(lambda: words(rig).count("end") == 2, what="the end of those that end")
    return ended, running


def words(rig: Rig) -> list[str]:
    return [word for _, word in rig.effects.counted()]


def is_interrupted(rig: Rig, execution: Execution, *parts: str) -> None:
    rig.scene.advance(execution)
    step = rig.scene.steps(execution)["one"]
    assert (execution.state, step.state) == ("waiting", "interrupted")
    assert all(part in step.note for part in parts), step.note


def test_with_its_spool(rig: Rig, far: Host, server: Sshd) -> None:
    ended, running = left_alone(rig)
    reboot(spools(server), ended + running)
    for execution in ended:
        assert rig.scene.advance(execution).state == "succeeded"
    for execution in running:
        is_interrupted(rig, execution, "was restarted after the step was sent.")
    rig.truth(ended + running)


def emptied(spool: Path) -> None:
    shutil.rmtree(spool)


def of_another_machine(spool: Path) -> None:
    spool.rename(spool.with_name("elsewhere"))


@pytest.mark.parametrize(
    "lose", [emptied, pytest.param(of_another_machine, marks=pytest.mark.faults)]
)
def test_without_its_spool(rig: Rig, far: Host, server: Sshd, lose: Callable[[Path], None]) -> None:
    ended, running = left_alone(rig)
    reboot(spools(server), ended + running)
    for spool in spools(server):
        lose(spool)
    for execution in Execution.objects.exclude(state="succeeded"):  # the worker had time for one
        is_interrupted(rig, execution, "is another one", "is not known.")
    rig.truth(ended + running)
