"""The tests of hosts: each step on its own, and none after one that the next ones need."""

from pathlib import Path

import pytest

from cvdops.runners import local_probe
from cvdops.runners.checks import Failed as StepFailed
from cvdops.runners.checks import Outcome, room
from cvdops.runners.local_probe import LocalProbe
from cvdops.runners.ssh import probe as ssh_probe
from cvdops.runners.ssh.known_hosts import KnownHosts
from cvdops.runners.ssh.probe import SshProbe
from tests.sshd import ALIAS, Sshd, ssh_server


def outcomes(probe: SshProbe | LocalProbe) -> dict[str, Outcome]:
    return {check.step: check.outcome for check in probe}


def sentences(probe: SshProbe | LocalProbe) -> dict[str, str]:
    return {check.step: check.sentence for check in probe}


def test_a_good_host(server: Sshd, tmp_path: Path) -> None:
    transport = server.transport(tmp_path)
    found = outcomes(SshProbe(transport, ("sh", "cat")))
    transport.link.master.close()
    assert tuple(found) == ssh_probe.TITLES
    needed = (
        "name",
        "port",
        "host key",
        "private key",
        "login",
        "shell",
        "tools",
        "spool",
        "clock",
    )
    assert {found[step] for step in needed} == {Outcome.OK}


def test_commands_that_are_missing_there(server: Sshd, tmp_path: Path) -> None:
    transport = server.transport(tmp_path)
    said = sentences(SshProbe(transport, ("cat", "no-such-command", "launch")))
    transport.link.master.close()
    assert said["tools"].startswith("Not there: no-such-command, launch.")


def test_the_search_path_of_the_environment_counts(server: Sshd, tmp_path: Path) -> None:
    transport = server.transport(tmp_path)
    said = sentences(SshProbe(transport, ("cat",), "/nowhere's; echo x"))
    transport.link.master.close()
    assert said["tools"].startswith("Not there: cat.")


def test_an_unknown_key_is_shown_and_nobody_logs_in(tmp_path: Path) -> None:
    with ssh_server() as other:
        transport = other.transport(tmp_path)
        KnownHosts(tmp_path).remove(ALIAS)
        probe = SshProbe(transport)
        found = outcomes(probe)
        assert found["host key"] is Outcome.FAILED
        assert found["login"] is Outcome.SKIPPED
        assert list(probe.keys) == [other.key]
        assert "Accepted" not in other.log


@pytest.mark.parametrize(
    ("text", "mode", "outcome", "words"),
    [
        (None, 0, Outcome.FAILED, "There is no private key other. Put the private key there"),
        ("a", 0o644, Outcome.FAILED, "can be read by others"),
        ("no key\n", 0o600, Outcome.WARNING, "is no private key"),
    ],
)
def test_a_private_key_that_cannot_be_used(
    server: Sshd, tmp_path: Path, text: str | None, mode: int, outcome: Outcome, words: str
) -> None:
    transport = server.transport(tmp_path, key="other")
    if text is not None:
        (tmp_path / "keys" / "other").write_text(text)
        (tmp_path / "keys" / "other").chmod(mode)
    probe = SshProbe(transport)
    checks = {check.step: check for check in probe}
    assert checks["host key"].outcome is Outcome.OK
    assert checks["private key"].outcome is outcome
    assert words in checks["private key"].sentence
    assert str(tmp_path / "keys" / "other") in checks["private key"].sentence
    assert checks["login"].outcome in {Outcome.SKIPPED, Outcome.FAILED}


def test_this_machine(tmp_path: Path) -> None:
    found = outcomes(LocalProbe(tmp_path / "spool", ("cat", "no-such-command")))
    assert tuple(found) == local_probe.TITLES
    assert (found["shell"], found["tools"]) == (Outcome.OK, Outcome.WARNING)


def test_a_spool_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be used" in sentences(LocalProbe(tmp_path / "file" / "spool"))["spool"]


@pytest.mark.parametrize("said", ["tmpfs 1 4096", "ext2/ext3 x 1", ""])
def test_a_spool_in_memory_or_without_an_answer(said: str) -> None:
    with pytest.raises(StepFailed):
        room("/spool", said)
