"""What comes from a target is its word: believed within limits, never followed, and bounded."""

import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cvdops.runners.job import Presence, Reason, StartFailed, Unreachable, Vanished, Wakeup
from cvdops.runners.ssh import SshTransport, link
from cvdops.runners.ssh.answers import Decoder, Nonsense
from cvdops.runners.ssh.look import Look
from cvdops.runners.ssh.quoting import call
from tests.runners.bench import Bench, Done
from tests.sshd import Sshd, ssh_server
from tests.waiting import until

SshBench = Bench[SshTransport]


def folder_of(bench: SshBench, done: Done) -> Path:
    return Path(bench.transport.link.hello().text("root")) / done.attempt


class TestJobDirectory:
    @pytest.mark.parametrize("content", ["", "0", "0; rm", "1000000000\n", "-1\n", "256\n", "x\n"])
    def test_exit_code_that_is_none(self, ssh_bench: SshBench, content: str) -> None:
        done = ssh_bench.run("echo hello")
        (folder_of(ssh_bench, done) / "rc").write_text(content)
        found = ssh_bench.vanished(done.attempt)
        with pytest.raises(Vanished, match="as its exit code is none"):
            found.handle.result()

    @pytest.mark.parametrize("name", ["rc", "out"])
    @pytest.mark.parametrize("kind", ["symlink", "fifo", "folder", "endless"])
    def test_file_that_was_replaced(self, ssh_bench: SshBench, name: str, kind: str) -> None:
        done = ssh_bench.run("echo hello")
        path = folder_of(ssh_bench, done) / name
        path.unlink()
        make = {
            "symlink": lambda: path.symlink_to("/etc/passwd"),
            "endless": lambda: path.symlink_to("/dev/zero"),
            "fifo": lambda: os.mkfifo(path),
        }
        make.get(kind, path.mkdir)()
        found = ssh_bench.vanished(done.attempt)
        assert found.handle.read(0, 100) == (b"" if name == "out" else b"hello\n")
        ssh_bench.transport.clean(done.attempt)
        until(lambda: [one.name for one in path.parent.iterdir()] == ["pid"], what="the removal")

    def test_link_that_takes_the_place_of_a_file_between_two_looks(
        self, ssh_bench: SshBench
    ) -> None:
        path = folder_of(ssh_bench, ssh_bench.run("true")) / "out"
        path.write_text("hello\n")
        read = call("raw", "out", str(path), "0", "6")
        assert ssh_bench.transport.link.ask(read).text("out") == "hello\n"
        path.unlink()
        path.symlink_to("/etc/passwd")
        with pytest.raises(Unreachable):
            ssh_bench.transport.link.ask(read, timeout=1)
        until(lambda: not ssh_bench.transport.link.patience, what="the next try to connect")

    def test_files_that_cannot_be_removed(self, ssh_bench: SshBench) -> None:
        closed = f"{folder_of(ssh_bench, other := ssh_bench.run('true'))}/closed"
        done = ssh_bench.run(f"mkdir -p {closed}/in && chmod 0 {closed}")
        assert not ssh_bench.transport.cleaned([other.attempt, done.attempt])
        assert ssh_bench.transport.cleaned([done.attempt])
        ssh_bench.run(f"chmod 700 {closed}")
        assert ssh_bench.transport.cleaned([other.attempt, done.attempt])

    def test_an_answer_that_comes_late_is_no_cut(self, ssh_bench: SshBench) -> None:
        handle = ssh_bench.start("echo hello; sleep 30")
        asked_at = time.monotonic()
        assert handle.wait(0, 60, None) is Wakeup.OUTPUT
        handle.see(Look(running=True), 0, asked_at)  # another thread's, from before the output
        assert handle.size == len("hello\n")
        assert handle.result() is None

    def test_directory_that_leads_elsewhere(self, ssh_bench: SshBench, tmp_path: Path) -> None:
        done = ssh_bench.run("echo hello")
        folder = folder_of(ssh_bench, done)
        folder.rename(folder.with_name("elsewhere"))
        folder.symlink_to("/etc")
        assert ssh_bench.transport.attach(done.attempt).presence is Presence.ABSENT
        ssh_bench.transport.clean(done.attempt)
        assert ssh_bench.transport.attach(done.attempt)  # answered when the removal is over
        assert Path("/etc/passwd").exists()

    def test_output_that_became_shorter(self, ssh_bench: SshBench) -> None:
        job = ssh_bench.job("echo hello; sleep 300")
        handle = ssh_bench.transport.start(job)
        ssh_bench.started.append(handle)
        handle.wait(0, 60, None)
        out = Path(ssh_bench.transport.link.hello().text("root")) / job.attempt / "out"
        out.write_text("")
        handle.wait(6, 0.5, None)
        with pytest.raises(Vanished, match="was replaced"):
            handle.result()

    def test_variables_without_end(self, ssh_bench: SshBench) -> None:
        done = ssh_bench.run("A=1")
        with (folder_of(ssh_bench, done) / "vars").open("wb") as file:
            file.truncate(1 << 30)
        result = ssh_bench.transport.attach(done.attempt).handle.result()
        assert (result.variables, result.carried) == ({}, False)

    def test_process_number_that_is_somebody_elses(self, ssh_bench: SshBench) -> None:
        done = ssh_bench.run("true")
        folder = folder_of(ssh_bench, done)
        other = ssh_bench.start("sleep 300")
        fields = (folder / "pid").read_text().split(" ")
        fields[0], fields[21] = str(other.process.pid), "1"  # one that started with the machine
        (folder / "pid").write_text(" ".join(fields))
        for name in ("rc", "ended"):
            (folder / name).unlink()
        found = ssh_bench.vanished(done.attempt)
        assert found.handle.stop(0).gone
        assert other.result() is None

    def test_process_of_another_boot(self, ssh_bench: SshBench) -> None:
        job = ssh_bench.job("sleep 300")
        ssh_bench.started.append(ssh_bench.transport.start(job))
        root = Path(ssh_bench.transport.link.hello().text("root"))
        claim = root / job.attempt / "pid"
        boot = ssh_bench.transport.spool().boot_id
        claim.write_text(claim.read_text().replace(boot, boot[::-1]))
        assert ssh_bench.transport.attach(job.attempt).presence is Presence.VANISHED


class TestAnswers:
    """Bytes that no honest program sends."""

    @pytest.mark.parametrize(
        "data",
        [
            b"nonsense\n",
            b"p out -1\n",
            b"p out 999999999999\n",
            b"p out 99999999\n",
            b"p out 2\nabc",
            b"p ../x 1\na\n",
            b"x" * 100,
            b"\n",
        ],
    )
    def test_are_refused(self, data: bytes) -> None:
        decoder = Decoder("hello")
        assert not list(decoder.feed(b"profile\n\nhello\n"))
        with pytest.raises(Nonsense):
            list(decoder.feed(data))

    def test_without_end_before_the_first_word_are_refused(self) -> None:
        decoder = Decoder("hello")
        with pytest.raises(Nonsense, match="without end"):
            for _ in range(100):
                list(decoder.feed(b"y\n" * 1000))

    def test_come_in_any_pieces(self) -> None:
        decoder = Decoder("hello")
        data = b"\nhello\np a 3\nx\n.\np b 0\n\n.\n.\n"
        answers = [answer for byte in data for answer in decoder.feed(bytes([byte]))]
        assert [answer.parts for answer in answers] == [[("a", b"x\n."), ("b", b"")], []]


@contextmanager
def login_through(script: str) -> Iterator[Sshd]:
    """A server whose logins run a script of their own instead of what is asked for."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        shell = Path(folder) / "shell"
        shell.write_text(f"#!/bin/sh\n{script}\n")
        shell.chmod(0o755)
        with ssh_server(f"ForceCommand {shell}") as server:
            yield server


class TestLogin:
    """What a login shell may do before, or instead of, running a program."""

    def run(self, transport: SshTransport) -> bytes:
        transport.spool()
        try:
            return Bench(transport).run("echo $-hello").output
        finally:
            transport.close()
            transport.link.master.close()

    @pytest.mark.parametrize("shell", ["/bin/bash", "/bin/rbash", "/bin/dash"])
    def test_shell(self, shell: str, tmp_path: Path) -> None:
        with ssh_server(login_shell=shell) as server:
            assert self.run(server.transport(tmp_path)).endswith(b"hello\n")

    def test_profile_that_prints(self, tmp_path: Path) -> None:
        with ssh_server(login_shell="/bin/bash") as server:
            noise = "echo Welcome; echo 'p out 3'; echo .; echo error >&2\n"
            (server.login.home / ".bashrc").write_text(noise)
            assert self.run(server.transport(tmp_path)).endswith(b"hello\n")

    @pytest.mark.parametrize(
        ("script", "reason", "words"),
        [
            (
                "echo This account is closed.; exit 1",
                Reason.SHELL,
                "printed: This account is closed",
            ),
            ("exit 1", Reason.SHELL, "printed nothing"),
            ("exec yes", Reason.PROTOCOL, "prints without end"),
            ("exec yes >&2", Reason.TIMEOUT, "did not answer"),
        ],
    )
    def test_that_runs_nothing(
        self,
        tmp_path: Path,
        script: str,
        reason: Reason,
        words: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        if reason is Reason.TIMEOUT:  # which is waited for
            monkeypatch.setattr(link, "ANSWER", 1.0)
        with login_through(script) as server:
            transport = server.transport(tmp_path)
            with pytest.raises(Unreachable, match=words) as caught:
                self.run(transport)
            assert caught.value.reason is reason

    def test_without_a_tool(self, server: Sshd, portal: Path) -> None:
        """A target that lacks one that steps need says so before anything begins."""
        transport = server.transport(portal)
        hello = transport.link.hello()
        hello.parts[:] = [(n, b"setsid stat " if n == "missing" else c) for n, c in hello.parts]
        with pytest.raises(StartFailed, match="lacks setsid, stat, which steps need"):
            transport.spool()
        transport.close()


class TestSpool:
    @pytest.mark.parametrize(
        ("spoil", "words"),
        [
            ("touch spool", "spool on 127.0.0.1 cannot be used: "),
            ("mkdir spool; chmod 500 spool", "cannot be used: Permission denied"),
        ],
    )
    def test_that_cannot_be_used(
        self, server: Sshd, tmp_path: Path, spoil: str, words: str
    ) -> None:
        home = server.login.home / tmp_path.name
        bench = Bench(server.transport(tmp_path))
        bench.transport.spool()
        bench.run(f"mkdir {home}; cd {home}; {spoil}")
        other = server.transport(tmp_path, spool=f"{home}/spool")
        with pytest.raises(StartFailed, match=words):
            other.spool()
        other.close()
        bench.transport.close()
        bench.transport.link.master.close()

    def test_that_is_gone(self, ssh_bench: SshBench) -> None:
        root = Path(ssh_bench.transport.link.hello().text("root"))
        root.rename(f"{root}-elsewhere")
        with pytest.raises(StartFailed, match="was emptied or removed"):
            ssh_bench.start("true")

    def test_that_may_not_be_written_to(self, ssh_bench: SshBench) -> None:
        root = Path(ssh_bench.transport.link.hello().text("root"))
        root.chmod(0o500)
        try:
            with pytest.raises(StartFailed, match=r"Permission denied\. Mend its permissions"):
                ssh_bench.start("true")
        finally:
            root.chmod(0o700)

    def test_is_closed_to_others(self, ssh_bench: SshBench) -> None:
        done = ssh_bench.run("true")
        folder = folder_of(ssh_bench, done)
        assert [path.stat().st_mode & 0o777 for path in (folder.parent, folder)] == [0o700] * 2

    def test_leaves_only_the_claim(self, ssh_bench: SshBench) -> None:
        done = ssh_bench.run("true")
        root = folder_of(ssh_bench, done).parent
        ssh_bench.transport.clean(done.attempt)
        assert ssh_bench.transport.attach(done.attempt)  # answered when the removal is over
        left = {
            path.name for path in root.iterdir() if not path.name.startswith(("prelude", ".id"))
        }
        assert left == {done.attempt}

    def test_a_directory_is_no_claim_yet(self, ssh_bench: SshBench) -> None:
        attempt = str(uuid.uuid4())
        root = ssh_bench.transport.link.hello().text("root")
        assert ssh_bench.run(f"mkdir '{root}/{attempt}'").code == 0
        assert ssh_bench.transport.attach(attempt).presence is Presence.ABSENT
        assert ssh_bench.run("echo once", attempt=attempt).output == b"once\n"

    def test_is_made_anew_after_it_was_emptied(self, ssh_bench: SshBench) -> None:
        before = ssh_bench.transport.spool()
        root = Path(ssh_bench.transport.link.hello().text("root"))
        root.rename(f"{root}-elsewhere")
        with pytest.raises(StartFailed):
            ssh_bench.start("true")
        assert ssh_bench.transport.spool().identity != before.identity
        assert ssh_bench.run("true").code == 0

    def test_a_missing_claim_says_which_spool_lacks_it(self, ssh_bench: SshBench) -> None:
        attempt = ssh_bench.job("true").attempt
        assert ssh_bench.transport.attach(attempt).spool == ssh_bench.transport.spool()
        root = Path(ssh_bench.transport.link.hello().text("root"))
        root.rename(f"{root}-elsewhere")
        assert ssh_bench.transport.attach(attempt).spool != ssh_bench.transport.spool()
