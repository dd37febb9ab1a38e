"""Jobs on this machine."""

import os
import subprocess
from pathlib import Path

import pytest

from cvdops.runners.job import Presence, StartFailed, Vanished
from cvdops.runners.local import LocalTransport
from tests.runners.bench import Bench, follow
from tests.runners.conformance import Conformance


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool of jobs"


@pytest.fixture
def transport(spool: Path) -> LocalTransport:
    transport = LocalTransport(spool)
    transport.spool()
    return transport


class TestLocal(Conformance):
    @pytest.fixture
    def launcher(self, spool: Path) -> str:
        return (
            "from pathlib import Path\nfrom cvdops.runners.job import Job\n"
            "from cvdops.runners.local import LocalTransport\n"
            f"transport = LocalTransport(Path({str(spool)!r}))"
        )


@pytest.fixture
def bench(transport: LocalTransport):
    bench = Bench(transport)
    yield bench
    bench.end()


class TestHostileJobDirectory:
    """What lies in a job directory is the target's word: believed within limits, never followed."""

    @pytest.mark.parametrize("content", ["", "0", "0; rm", "1000000000\n", "-1\n", "256\n", "x\n"])
    def test_exit_code_that_is_none(self, bench: Bench, spool: Path, content: str) -> None:
        done = bench.run("echo hello")
        (spool / done.attempt / "rc").write_text(content)
        found = bench.vanished(done.attempt)
        with pytest.raises(Vanished, match="as its exit code is none"):
            found.handle.result()

    @pytest.mark.parametrize("name", ["rc", "out"])
    @pytest.mark.parametrize("kind", ["symlink", "fifo", "folder"])
    def test_file_that_was_replaced(self, bench: Bench, spool: Path, name: str, kind: str) -> None:
        done = bench.run("echo hello")
        path = spool / done.attempt / name
        path.unlink()
        make = {"symlink": lambda: path.symlink_to("/etc/passwd"), "fifo": lambda: os.mkfifo(path)}
        make.get(kind, path.mkdir)()
        found = bench.vanished(done.attempt)
        assert found.handle.read(0, 100) == (b"" if name == "out" else b"hello\n")
        bench.transport.clean(done.attempt)
        assert [path.name for path in (spool / done.attempt).iterdir()] == ["pid"]

    @pytest.mark.parametrize(
        "content", [b"", b'/\n\0declare -- A="1\n', b"\xff\0\0\0end", b"/\n\0declare -x\n\0end"]
    )
    def test_variables_that_are_none(self, bench: Bench, spool: Path, content: bytes) -> None:
        done = bench.run("A=1")
        (spool / done.attempt / "vars").write_bytes(content)
        result = bench.transport.attach(done.attempt).handle.result()
        assert result.variables == {}

    def test_process_number_that_is_somebody_elses(self, bench: Bench, spool: Path) -> None:
        done = bench.run("true")
        folder = spool / done.attempt
        with subprocess.Popen(["sleep", "30"], start_new_session=True) as innocent:
            fields = (folder / "pid").read_text().split(" ")
            fields[0], fields[21] = str(innocent.pid), "1"  # one that started with the machine
            (folder / "pid").write_text(" ".join(fields))
            (folder / "rc").unlink()
            (folder / "ended").unlink()
            found = bench.vanished(done.attempt)
            assert found.handle.stop(0).gone
            assert innocent.poll() is None
            innocent.kill()

    def test_process_of_another_boot(self, bench: Bench, spool: Path) -> None:
        job = bench.job("sleep 300")
        bench.started.append(bench.transport.start(job))
        claim = spool / job.attempt / "pid"
        boot = bench.transport.spool().boot_id
        claim.write_text(claim.read_text().replace(boot, boot[::-1]))
        assert bench.transport.attach(job.attempt).presence is Presence.VANISHED


class TestSpool:
    def test_is_closed_to_others(self, bench: Bench, spool: Path) -> None:
        done = bench.run("true")
        assert [path.stat().st_mode & 0o777 for path in (spool, spool / done.attempt)] == [
            0o700
        ] * 2

    def test_emptied_is_another(self, transport: LocalTransport, spool: Path) -> None:
        before = transport.spool()
        (spool / ".id").unlink()
        assert transport.spool().identity != before.identity

    def test_leaves_only_the_claim(self, bench: Bench, spool: Path) -> None:
        done = bench.run("true")
        bench.transport.clean(done.attempt)
        left = {
            path.name for path in spool.iterdir() if not path.name.startswith(("prelude", ".id"))
        }
        assert left == {done.attempt}

    def test_a_directory_is_no_claim_yet(self, bench: Bench, spool: Path) -> None:
        job = bench.job("echo once")
        (spool / job.attempt).mkdir()  # the watcher died before it had started a process
        assert bench.transport.attach(job.attempt).presence is Presence.ABSENT
        assert follow(bench.transport.start(job))[1] == b"once\n"

    def test_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StartFailed, match=r"spool folder .* cannot be used: File exists"):
            LocalTransport(tmp_path / "file").spool()

    def test_that_is_gone(self, bench: Bench, spool: Path) -> None:
        spool.rename(spool.with_name("elsewhere"))
        with pytest.raises(StartFailed, match="was emptied or removed"):
            bench.start("true")


def test_leaves_no_descriptors_and_no_zombies(bench: Bench) -> None:
    bench.run("true")
    before = len(list(Path("/proc/self/fd").iterdir()))
    others = children()
    for _ in range(20):
        follow(bench.transport.start(bench.job("echo hello")))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    stats = [Path(f"/proc/{pid}/stat").read_text() for pid in children() - others]
    assert [stat for stat in stats if stat.rpartition(")")[2].split()[0] == "Z"] == []


def children() -> set[str]:
    """Processes that this thread has started; of other tests too, who let go of theirs."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_collects_a_child_whose_watcher_let_go(bench: Bench) -> None:
    pid = bench.transport.start(bench.job("true")).process.pid
    fd = os.pidfd_open(pid)
    os.waitid(os.P_PIDFD, fd, os.WEXITED | os.WNOWAIT)
    os.close(fd)
    bench.run("true")
    assert not Path(f"/proc/{pid}").exists()


def test_output_after_the_result_is_complete(bench: Bench) -> None:
    for number in range(30):
        handle = bench.transport.start(bench.job(f"echo {number}"))
        assert follow(handle)[1] == f"{number}\n".encode()
