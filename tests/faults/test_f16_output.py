"""F16: output of every kind is stored as it is; the end of a step is seen whoever keeps its output open."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cvdops.environments.models import Host
from cvdops.executions import output, services
from cvdops.runners.ssh.transport import SPOOL
from tests.executions.test_engine import block
from tests.faults.portal import memory
from tests.faults.rig import Rig
from tests.faults.truth import processes_of_attempts
from tests.sshd import Sshd
from tests.waiting import until

BYTES = bytes(range(256)) * 4 + b"\xff\xfe\x00\xc3\x28\xe2\x82" + bytes(1000)


@pytest.mark.parametrize("host", ["here", "far"])
def test_bytes_that_are_no_text(rig: Rig, far: Host, host: str) -> None:
    octal = "".join(f"\\{byte:03o}" for byte in BYTES)
    rig.scene.runbook(block("one", f"printf '{octal}'", f"target={host}"))
    execution = rig.scene.run()
    assert execution.state == "succeeded"
    attempt = execution.steps.get().attempts.get()
    assert output.read(attempt.pk) == BYTES


@pytest.mark.parametrize("host", ["here", "far"])
def test_a_child_that_keeps_the_output_open(rig: Rig, far: Host, host: str) -> None:
    rig.scene.runbook(block("one", "sleep 600 &\necho done", f"target={host}"))
    began = time.monotonic()
    execution = rig.scene.run()
    assert (execution.state, time.monotonic() - began < 60) == ("succeeded", True)
    step = execution.steps.get()
    assert (step.finished_at - step.started_at).total_seconds() < 30
    for pid in processes_of_attempts()[str(step.attempts.get().pk)]:
        os.kill(pid, signal.SIGKILL)
    assert rig.scene.output(execution, "one") == "done\n"


@pytest.fixture
def small_disk(server: Sshd, far: Host) -> Iterator[Path]:
    """The spool of `far` lies on it. Root mounts one; others get a folder that takes no more files."""
    spool = server.login.home / SPOOL
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.chown(spool.parent, server.login.user)
    owner = spool.parent.stat().st_uid
    options = f"size=256k,mode=700,uid={owner}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "cvdops-test", spool], check=True)
    yield spool
    subprocess.run(["umount", "-l", spool], check=True)


def test_a_full_disk_over_there(rig: Rig, small_disk: Path) -> None:
    """Waits for a person, and goes on when there is room again."""
    rig.scene.runbook(block("one", "echo hello", "target=far"))
    with (small_disk / "full").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    execution = rig.scene.run()
    step = rig.scene.steps(execution)["one"]
    assert (execution.state, step.state) == ("waiting", "failed")
    assert "cannot be used" in step.note and "Make room" in step.note
    (small_disk / "full").unlink()
    services.retry(rig.scene.person("devops-engineer"), execution.pk, "one")
    assert rig.scene.advance(execution).state == "succeeded"


def trial(rig: Rig, lines: int, seconds: float, more: str = "") -> None:
    """A step that prints so many lines within this time, on both hosts at once."""
    script = (
        f"for ((I = 0; I < {lines}; I++)); do printf '%d a line of the flood\\n' $I\n"
        f"((I % 1000)) || sleep {1000 * seconds / lines / 2:.3f}; done"
    )
    rig.scene.runbook(
        block("one", script, f"target=here {more}") + block("two", script, f"target=far {more}")
    )
    with rig.workers(1) as workers:
        execution = rig.scene.start()
        until(lambda: rig.scene.states(execution)["one"] == "running")
        before = memory(workers.pids[0])
        most = 0

        def over() -> bool:
            nonlocal most
            most = max(most, memory(workers.pids[0]))
            execution.refresh_from_db()
            return execution.is_over

        until(over, 4 * seconds + 60, "the end of the flood")
    expected = "".join(f"{n} a line of the flood\n" for n in range(lines))
    assert rig.scene.output(execution, "one") == rig.scene.output(execution, "two") == expected
    assert most - before <= 50 << 20


def test_ten_thousand_lines_a_second(rig: Rig, far: Host) -> None:
    trial(rig, 20_000, 2)


@pytest.mark.faults
def test_ten_thousand_lines_a_second_for_long(rig: Rig, far: Host) -> None:
    trial(rig, 6_000_000, 600, "timeout=1h")
