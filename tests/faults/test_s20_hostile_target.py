"""S20: what a target leaves of a step is believed within limits, never followed, and said to be wrong."""

import pytest
from django.conf import settings

from cvdops.environments.models import Host
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


@pytest.mark.parametrize("host", ["here", "far"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_result_that_cannot_be_believed(
    rig: Rig, far: Host, server: Sshd, host: str, attack: str
) -> None:
    spool = {"here": settings.SPOOL_DIR, "far": server.login.home / SPOOL}[host]
    command, words = ATTACKS[attack]
    # What writes its output begins beside it, and would make the file again.
    begun = "echo begun\nuntil test -s out; do :; done"
    script = f"cd '{spool}'/\"$CVDOPS_ATTEMPT\"\n{begun}\n{command}\nkill -9 0"
    rig.scene.runbook(block("one", script, f"target={host}"))
    execution = rig.scene.run()
    step = rig.scene.steps(execution)["one"]
    assert (execution.state, step.state) == ("waiting", "interrupted")
    assert words in step.note
    assert "root:" not in rig.scene.output(execution, "one")


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
