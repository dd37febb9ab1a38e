"""S20: what a target leaves of a step is believed within limits, never followed, and said to be wrong."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections

from cvdops.environments.models import Host
from cvdops.executions import engine
from cvdops.executions.models import Execution
from cvdops.runners.ssh.transport import SPOOL
from tests.executions.test_engine import block
from tests.faults.conftest import add_host
from tests.faults.rig import Rig
from tests.sshd import Sshd, ssh_server

NUMBER = "What it left as its exit code is none"
REPLACED = "A file of its job directory was replaced"
ATTACKS = {
    "words": ("printf '0; rm' >rc", NUMBER),
    "large": ("echo 1000000000 >rc", NUMBER),
    "negative": ("echo -1 >rc", NUMBER),
    "nothing": ("rm -f ended", "without leaving an exit code"),
    "link": ("ln -s /etc/passwd rc", REPLACED),
    "fifo": ("mkfifo rc", REPLACED),
    "endless": ("ln -s /dev/zero rc", REPLACED),
    "output that is a folder": ("rm out; mkdir out; echo 0 >rc", REPLACED),
    "output that is a link": ("rm out; ln -s /etc/passwd out; echo 0 >rc", REPLACED),
}


def attacked(rig: Rig, host: str, spool: Path, command: str) -> Execution:
    """Started: a step that does this to its own job directory."""
    # What writes its output begins beside it, and would make the file again.
    begun = "echo begun\nuntil test -s out; do :; done"
    script = f"cd '{spool}'/\"$CVDOPS_ATTEMPT\"\n{begun}\n{command}\nkill -9 0"
    rig.scene.runbook(block("one", script, f"target={host}"))
    return rig.scene.start()


def run(execution: Execution) -> None:
    try:
        engine.advance(execution.pk, "test")
    finally:
        connections.close_all()


@pytest.mark.parametrize("host", ["here", "far"])
def test_results_that_cannot_be_believed(rig: Rig, far: Host, server: Sshd, host: str) -> None:
    spool = {"here": settings.SPOOL_DIR, "far": server.login.home / SPOOL}[host]
    started = {name: attacked(rig, host, spool, command) for name, (command, _) in ATTACKS.items()}
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(run, started.values()))
    for name, execution in started.items():
        execution.refresh_from_db()
        step = rig.scene.steps(execution)["one"]
        assert (name, execution.state, step.state) == (name, "waiting", "interrupted")
        assert (name, ATTACKS[name][1] in step.note) == (name, True)
        assert (name, "root:" in rig.scene.output(execution, "one")) == (name, False)


@pytest.mark.parametrize(
    ("command", "words"),
    [("/usr/bin/yes", "prints without end"), ("/bin/false", "The login there does not run sh")],
)
def test_login_that_runs_no_shell(rig: Rig, command: str, words: str) -> None:
    """The step fails before it begins, with a sentence."""
    with ssh_server(f"ForceCommand {command}") as server:
        add_host(rig, server, server.port)
        rig.scene.runbook(block("one", "true", "target=far"))
        execution = rig.scene.run()
    step = rig.scene.steps(execution)["one"]
    assert (execution.state, step.state, step.attempt_count) == ("waiting", "failed", 0)
    assert words in step.note
