"""What a step finds when it looks for what is the portal's: nothing, on this machine and on others."""

import re

import pytest

from tests.executions.scene import Scene
from tests.executions.test_engine import block

SECRET = "canary-of-the-worker"
# In its own environment; in that of its parent, which claims the job directory; its open files.
SHELL = r"""
env
set
cat /proc/self/environ
echo "== parent"
tr '\0' '\n' < /proc/$PPID/environ
tr '\0' '\n' < /proc/$PPID/cmdline
echo "== files"
ls -l /proc/$$/fd
"""
PYTHON = """
import os, pathlib
print(*os.environ)
print(pathlib.Path("/proc/self/environ").read_text())
print("== parent")
print(pathlib.Path(f"/proc/{os.getppid()}/environ").read_text())
print("== files")
for link in pathlib.Path("/proc/self/fd").iterdir():
    print("->", os.path.realpath(link))
"""
OURS = re.compile(rf"CVDOPS_\w+|DATABASE_URL|SECRET_KEY|REDIS_URL|DJANGO\w*|{SECRET}")


@pytest.fixture(autouse=True)
def rich(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker whose own environment holds what no step may have."""
    for name in ("SECRET_KEY", "CVDOPS_MODE", "PGPASSWORD"):
        monkeypatch.setenv(name, SECRET)


def look(scene: Scene, target: str) -> None:
    scene.runbook(
        "".join(
            block(kind, PYTHON if kind == "python" else SHELL, f"target={target}", kind=kind)
            for kind in ("bash", "sh", "python")
        )
    )
    execution = scene.run()
    assert execution.state == "succeeded"
    for kind in ("bash", "sh", "python"):
        own, parent, files = scene.output(execution, kind).split("== ")
        assert set(OURS.findall(own)) == {"CVDOPS_ATTEMPT"}, kind
        assert set(OURS.findall(parent)) <= {"CVDOPS_ATTEMPT", "CVDOPS_JOB", "CVDOPS_SCRIPT"}, kind
        assert not re.search(r"socket|postgres|redis|sqlite|eventfd", files), files


def test_on_this_machine(scene: Scene) -> None:
    look(scene, "here")


def test_over_ssh(far: Scene) -> None:
    look(far, "far")
