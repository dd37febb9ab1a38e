"""What a person types about a host becomes an argument of `ssh`, or is refused."""

import os
import subprocess
from pathlib import Path

import pytest

from cvdops.runners.ssh import Address, SshTransport
from cvdops.runners.ssh.known_hosts import HostKey, KnownHosts
from tests.runners.bench import Bench
from tests.sshd import make_key

HOSTILE = (
    *(
        "",
        "-oProxyCommand=touch canary",
        "-F/tmp/x",
        "--",
        "a b",
        "a\nb",
        "a\0b",
        "$(id)",
        "`id`",
        "a;b",
    ),
    *(
        "a|b",
        "a&b",
        "%h",
        "../x",
        "a/b",
        "a@b",
        "é",
        "a'b",
        'a"b',
        "a\\b",
        "*",
        "~",
        "[::1",
        "x" * 300,
    ),
)


def address(**fields: object) -> Address:
    return Address(**{"alias": "host-1", "host": "example.org", **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["alias", "host", "user", "key", "jump"])
@pytest.mark.parametrize("value", HOSTILE)
def test_refuses_what_is_not_a_plain_name(field: str, value: str) -> None:
    if value == "" and field not in ("alias", "host"):
        assert address(**{field: value})
        return
    if value == "a@b" and field == "jump":
        return
    with pytest.raises(ValueError, match="cannot be the"):
        address(**{field: value})


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_refuses_a_port_that_is_none(port: int) -> None:
    with pytest.raises(ValueError, match="cannot be the port"):
        address(port=port)


@pytest.mark.parametrize(
    "fields",
    [
        {"host": "192.0.2.1"},
        {"host": "2001:db8::1"},
        {"host": "web_1"},
        {"jump": "gate"},
        {"jump": "ops@gate.example.org:2222,[2001:db8::1]:22"},
        {"user": "svc.deploy", "port": 2222, "key": "id_ed25519"},
    ],
)
def test_takes(fields: dict[str, object]) -> None:
    assert address(**fields)


@pytest.mark.parametrize("jump", ["a,-b", "a:99999", "@a", "a@", "a:b", "a,,b", "a,b,c,d,e", "::1"])
def test_refuses_a_way_that_is_none(jump: str) -> None:
    with pytest.raises(ValueError, match="cannot be the jump"):
        address(jump=jump)


@pytest.mark.parametrize("spool", ["", "../x", "a/../b", "a\nb", "a\0"])
def test_refuses_a_spool_that_is_none(spool: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be the spool"):
        SshTransport(address(), tmp_path, spool=spool)


class TestProcesses:
    """What can be seen of the `ssh` processes."""

    def test_have_nothing_of_the_portal_in_their_environment(
        self, ssh_bench: Bench[SshTransport], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SECRET_KEY", "canary")
        link = ssh_bench.transport.link
        with link.extra() as lane:
            environment = Path(f"/proc/{lane.pid}/environ").read_bytes()
        assert b"PATH=" in environment
        assert b"canary" not in environment

    def test_run_a_constant(self, ssh_bench: Bench[SshTransport]) -> None:
        with ssh_bench.transport.link.extra() as lane:
            arguments = Path(f"/proc/{lane.pid}/cmdline").read_bytes().split(b"\0")
        assert arguments[-4:] == [b"--", b"127.0.0.1", b"sh -s", b""]

    def test_keep_their_files_to_themselves(self, ssh_bench: Bench[SshTransport]) -> None:
        folder = ssh_bench.transport.client.folder
        assert folder.stat().st_mode & 0o777 == 0o700
        for path in folder.iterdir():
            assert path.stat().st_mode & 0o077 == 0, path

    def test_forward_no_agent_and_no_variable(
        self, ssh_bench: Bench[SshTransport], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSH_AUTH_SOCK", os.devnull)
        done = ssh_bench.run("env")
        assert b"SSH_" not in done.output


class TestKnownHosts:
    def key(self, tmp_path: Path, name: str) -> HostKey:
        make_key(tmp_path / name)
        return HostKey(*(tmp_path / f"{name}.pub").read_text().split()[:2])

    def test_adds_replaces_and_removes(self, tmp_path: Path) -> None:
        known = KnownHosts(tmp_path / "ssh")
        one, two = self.key(tmp_path, "one"), self.key(tmp_path, "two")
        known.add("host-1", one)
        known.add("host-1", one)
        known.add("host-2", two)
        assert known.keys("host-1") == (one,)
        known.replace("host-1", [two])
        assert (known.keys("host-1"), known.keys("host-2")) == ((two,), (two,))
        known.remove("host-1")
        assert (known.keys("host-1"), known.keys("host-2")) == ((), (two,))
        assert (tmp_path / "ssh" / "known_hosts").stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("name", ["a b", "*", "a,b", "@revoked", "|1|x", "a\nb", ""])
    def test_refuses_a_name_that_means_more(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(ValueError, match="cannot name"):
            KnownHosts(tmp_path).add(name, self.key(tmp_path, "one"))

    @pytest.mark.parametrize(
        "key", [("ssh-ed25519", "x"), ("ssh-ed25519", ""), ("a b", "AAAA"), ("ssh-rsa", "AAAA\n")]
    )
    def test_refuses_a_key_that_is_none(self, key: tuple[str, str]) -> None:
        with pytest.raises(ValueError, match="not a host key"):
            HostKey(*key)

    def test_has_the_fingerprint_that_openssh_shows(self, tmp_path: Path) -> None:
        key = self.key(tmp_path, "one")
        command = ("ssh-keygen", "-l", "-f", tmp_path / "one.pub")
        assert key.fingerprint.encode() in subprocess.check_output(command)
