"""F16: a disk without room. New starts are refused; a step says why, and goes on when there is room again."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from pytest_django import Settings

from cvdops.executions import context, finishing, output, services
from cvdops.executions.models import StepAttempt
from cvdops.executions.recorder import SHORT
from cvdops.lib.errors import Invalid
from cvdops.runners.local import LocalTransport
from tests.executions.scene import Scene
from tests.executions.test_engine import block

SMALL = 256 << 10  # bytes


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the spool lies; a file system of its own if this is root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    root = os.geteuid() == 0
    if root:
        command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "cvdops-test", folder]
        subprocess.run(command, check=True)
    transport = LocalTransport(folder / "spool")
    transport.spool()
    monkeypatch.setattr(context, "_local", lambda: transport)
    yield folder
    if root:
        subprocess.run(["umount", folder], check=True)


@contextmanager
def room(disk: Path, left: int) -> Iterator[None]:
    """So many bytes, for everybody; or for each file of this process and its children."""
    if os.geteuid() != 0:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (left, before[1]))
        yield
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        return
    with (disk / "full").open("wb", buffering=0) as file, suppress(OSError):
        while os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize > left:
            file.write(bytes(4096))
    yield
    (disk / "full").unlink(missing_ok=True)


def retried(scene: Scene, disk: Path, script: str, left: int) -> str:
    """What the step says that finds no room; then there is room, and it is retried."""
    scene.runbook(block("one", script))
    with room(disk, left):
        execution = scene.run()
    assert execution.state == "waiting"
    note = scene.steps(execution)["one"].note
    services.retry(scene.person("devops-engineer"), execution.pk, "one")
    assert scene.advance(execution).state == "succeeded"
    return note


def test_a_step_that_cannot_begin(scene: Scene, disk: Path) -> None:
    note = retried(scene, disk, "echo hello", left=0)
    assert "cannot be used" in note and "Make room, then retry the step." in note


def test_a_step_that_fills_the_disk(scene: Scene, disk: Path) -> None:
    script = f"mkdir '{disk}/seen' || exit 0\nhead -c 1000000 /dev/zero\necho done"
    note = retried(scene, disk, script, left=SMALL // 2)
    # With a limit for each file the one with the result finds room, and nobody reads the output on.
    assert "the disk of its host may be full" in note or "signal 13" in note
    first = StepAttempt.objects.get(number=1)
    assert output.read(first.pk).endswith(SHORT.encode())


def test_a_step_that_does_not_mind_that_its_output_finds_no_room(scene: Scene, disk: Path) -> None:
    scene.runbook(block("one", f"trap '' PIPE\nseq 300000 || true\nrm -f '{disk}/full'\nexit 0"))
    with room(disk, SMALL // 2):
        execution = scene.run()
    assert execution.state == "succeeded"
    assert scene.steps(execution)["one"].note == finishing.SHORT
    assert scene.output(execution, "one").endswith(SHORT)


def test_nothing_new_starts_on_a_disk_that_is_nearly_full(scene: Scene, settings: Settings) -> None:
    scene.runbook(block("one", "echo hello"))
    before = scene.start()
    settings.DISK_RESERVE = 1 << 40
    with pytest.raises(Invalid, match="MB are kept for what runs"):
        scene.start()
    assert scene.advance(before).state == "succeeded"
