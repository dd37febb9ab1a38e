"""A host that cannot be reached: why, in words for people, and never a byte to the wrong one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cvdops.runners.job import Reason, Unreachable
from cvdops.runners.ssh import SshTransport, client
from cvdops.runners.ssh.known_hosts import HostKey, KnownHosts
from tests.proxy import Proxy
from tests.runners.bench import Bench
from tests.sshd import ALIAS, Sshd, make_key, ssh_server


@contextmanager
def refused(reason: Reason, words: str) -> Iterator[None]:
    with pytest.raises(Unreachable, match=words) as caught:
        yield
    assert caught.value.reason is reason
    assert caught.value.remedy.endswith(".")


def test_name_that_does_not_resolve(server: Sshd, tmp_path: Path) -> None:
    with refused(Reason.NAME, "no-such-host.invalid does not resolve"):
        server.transport(tmp_path, host="no-such-host.invalid").spool()


def test_nothing_listens(server: Sshd, tmp_path: Path) -> None:
    with refused(Reason.REFUSED, "Nothing listens on its port 1"):
        server.transport(tmp_path, port=1).spool()


def test_frozen_before_the_first_word(
    server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixed, usual = client._FIXED, f"ConnectTimeout {client.CONNECT_TIMEOUT}\n"
    assert usual in fixed
    monkeypatch.setattr(client, "_FIXED", fixed.replace(usual, "ConnectTimeout 1\n"))  # waited for
    proxy = Proxy(server.port)
    proxy.freeze()
    with refused(Reason.TIMEOUT, "did not answer in time"):
        server.transport(tmp_path, port=proxy.port).spool()
    proxy.close()


def test_login_refused(server: Sshd, tmp_path: Path) -> None:
    with refused(Reason.LOGIN, "refused the login"):
        server.transport(tmp_path, user="somebody").spool()


def test_private_key_that_others_can_read(server: Sshd, tmp_path: Path) -> None:
    transport = server.transport(tmp_path)
    (tmp_path / "keys" / "test").chmod(0o644)
    with refused(Reason.KEY_FILE, "can be read by others"):
        transport.spool()


def test_private_key_that_is_missing(server: Sshd, tmp_path: Path) -> None:
    with refused(Reason.KEY_FILE, "keys/other cannot be used: No such file"):
        server.transport(tmp_path, key="other").spool()


def test_configuration_that_is_wrong(server: Sshd, tmp_path: Path) -> None:
    with refused(Reason.CONFIGURATION, "Bad configuration option: nonsense"):
        server.transport(tmp_path, config="Nonsense yes\n").spool()


class TestHostKey:
    """The key that a person confirmed, or nothing."""

    def test_unknown(self, server: Sshd, tmp_path: Path) -> None:
        transport = server.transport(tmp_path)
        KnownHosts(tmp_path).remove(ALIAS)
        with refused(Reason.KEY_UNKNOWN, "Nobody has confirmed") as _:
            transport.spool()

    def test_unknown_says_the_fingerprint(self, server: Sshd, tmp_path: Path) -> None:
        with pytest.raises(Unreachable) as caught:
            server.transport(tmp_path, alias="host-2").spool()
        assert f"It shows {server.key.fingerprint}." in caught.value.why

    @pytest.mark.parametrize("kind", ["ed25519", "rsa"])
    def test_changed(self, server: Sshd, tmp_path: Path, kind: str) -> None:
        transport = server.transport(tmp_path)
        make_key(tmp_path / "old", kind)
        old = HostKey(*(tmp_path / "old.pub").read_text().split()[:2])
        KnownHosts(tmp_path).replace(ALIAS, [old])
        with refused(Reason.KEY_CHANGED, "NOT the one that was confirmed"):
            transport.spool()
        why = transport.link.lost.error.why
        assert server.key.fingerprint in why
        assert old.fingerprint in why

    def test_nothing_is_sent_to_somebody_in_between(self, server: Sshd, tmp_path: Path) -> None:
        with ssh_server() as other:
            transport = server.transport(tmp_path, port=other.port, user=other.login.user)
            with refused(Reason.KEY_CHANGED, "NOT the one"):
                transport.spool()
            assert "Accepted" not in other.log
            assert "Postponed" not in other.log

    def test_the_accounts_own_configuration_does_not_count(
        self, server: Sshd, tmp_path: Path
    ) -> None:
        known = tmp_path / "elsewhere"
        known.write_text(f"host-2 {server.key.kind} {server.key.key}\n")
        config = f"StrictHostKeyChecking no\nUserKnownHostsFile {known}\nHostKeyAlias {ALIAS}\n"
        with refused(Reason.KEY_UNKNOWN, "Nobody has confirmed"):
            server.transport(tmp_path, alias="host-2", config=config).spool()


class TestJump:
    """A host in between: here the same server, under another name."""

    def jumping(self, server: Sshd, tmp_path: Path, port: int) -> SshTransport:
        config = (
            f"Host inside\nHostName 127.0.0.1\nHost localhost\nIdentityFile {tmp_path}/keys/test\n"
        )
        jump = f"{server.login.user}@localhost:{port}"
        return server.transport(tmp_path, host="inside", jump=jump, config=config)

    def test_works(self, server: Sshd, tmp_path: Path, open_transports: list[SshTransport]) -> None:
        transport = self.jumping(server, tmp_path, server.port)
        open_transports.append(transport)
        key = f"[localhost]:{server.port} {server.key.kind} {server.key.key}\n"
        (tmp_path / "account" / "known_hosts").write_text(key)
        transport.spool()
        assert Bench(transport).run("echo hello").output == b"hello\n"

    def test_nobody_has_confirmed(self, server: Sshd, tmp_path: Path) -> None:
        with refused(Reason.JUMP, r"host in between .* Nobody has confirmed .* ~/.ssh/known_hosts"):
            self.jumping(server, tmp_path, server.port).spool()

    def test_is_not_there(self, server: Sshd, tmp_path: Path) -> None:
        with refused(Reason.JUMP, r"host in between .* Nothing listens on its port 1"):
            self.jumping(server, tmp_path, 1).spool()
