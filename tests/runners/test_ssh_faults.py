"""A connection is lost: the step goes on, its output is complete, and the watcher knows since when."""

import hashlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from cvdops.runners.job import Handle, Presence, Reason, Unreachable, Wakeup
from cvdops.runners.ssh import SshTransport, link, master
from cvdops.runners.ssh.link import Link
from cvdops.runners.turns import turn
from tests.proxy import Proxy
from tests.runners.bench import Bench, follow
from tests.sshd import Sshd, ssh_server
from tests.waiting import until

LINES = 40
SCRIPT = f"for i in {{1..{LINES}}}; do echo line $i; sleep 0.02; done"
OUTPUT = "".join(f"line {i}\n" for i in range(1, LINES + 1)).encode()


@pytest.fixture
def proxy(server: Sshd) -> Iterator[Proxy]:
    proxy = Proxy(server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def bench(
    server: Sshd, proxy: Proxy, tmp_path: Path, open_transports: list[SshTransport]
) -> Iterator[Bench[SshTransport]]:
    """Through the proxy."""
    transport = server.transport(tmp_path, port=proxy.port, spool=f"spool-{tmp_path.name}")
    open_transports.append(transport)
    transport.spool()
    bench = Bench(transport)
    yield bench
    server.thaw()
    if not server.processes():
        server.start()
    proxy.mend()
    until(lambda: transport.link.patience == 0)
    bench.end()


def test_a_worker_that_hangs_while_it_connects_does_not_keep_the_others_for_ever(
    server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(master, "_TURN", 0.1)
    transport = server.transport(tmp_path, spool=f"spool-{tmp_path.name}")
    transport.client.prepare("far")
    lock = f"{transport.client.folder}/{transport.link.master.socket}.lock"
    with turn(lock, 1), pytest.raises(Unreachable, match="another worker of this machine"):
        transport.spool()
    until(lambda: transport.link.patience == 0)
    assert transport.spool().identity
    with turn(lock, 1):
        transport.link.master.ensure()  # there is a connection: nobody is waited for
    transport.close()
    transport.link.master.close()


def test_a_channel_of_its_own_is_waited_for_within_limits(
    bench: Bench[SshTransport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "_TURN", 0.1)
    with ExitStack() as taken:
        for _ in range(link._EXTRA):
            taken.enter_context(bench.transport.link.extra())
        with pytest.raises(Unreachable, match="have been ending other steps"):
            bench.transport.running("00000000-0000-0000-0000-000000000000", None)
    assert bench.transport.running("00000000-0000-0000-0000-000000000000", None) == ()


def lose(handle: Handle) -> None:
    """Wait until the watcher hears that the connection is lost."""
    until(lambda: handle.wait(1 << 30, 1, None) is Wakeup.LINK and handle.lost)


def masters(transport: SshTransport) -> list[int]:
    """The `ssh` processes that own the connection of this transport."""
    word = transport.link.master.socket.encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if arguments[0].startswith(b"ssh") and word in b" ".join(arguments):
            found.append(int(folder.name))
    return found


def kill_all_ssh(bench: Bench[SshTransport], proxy: Proxy, server: Sshd) -> None:
    for pid in masters(bench.transport):
        os.kill(pid, signal.SIGKILL)


def kill_the_channel(bench: Bench[SshTransport], proxy: Proxy, server: Sshd) -> None:
    with bench.transport.link.extra() as lane:
        others = set(masters(bench.transport)) - {lane.pid}
    os.kill(max(others), signal.SIGKILL)


def cut(bench: Bench[SshTransport], proxy: Proxy, server: Sshd) -> None:
    proxy.cut()


def cut_within_an_answer(bench: Bench[SshTransport], proxy: Proxy, server: Sshd) -> None:
    proxy.cut_after = 1000


def restart_the_server(bench: Bench[SshTransport], proxy: Proxy, server: Sshd) -> None:
    server.restart()


@pytest.mark.parametrize(
    "fault", [kill_all_ssh, kill_the_channel, cut, cut_within_an_answer, restart_the_server]
)
def test_nothing_is_lost(
    bench: Bench[SshTransport],
    proxy: Proxy,
    server: Sshd,
    fault: Callable[[Bench[SshTransport], Proxy, Sshd], None],
) -> None:
    begun = server.login.home / f"begun-{fault.__name__}"
    job = bench.job(f"echo begun >>{begun}\n{SCRIPT}\nexit 3")
    handle = bench.transport.start(job)
    bench.started.append(handle)
    handle.wait(0, 60, None)
    fault(bench, proxy, server)
    result, output = follow(handle)
    assert (result.exit_code, output) == (3, OUTPUT)
    assert begun.read_text() == "begun\n"
    assert handle.lost is None


def test_a_flood_through_a_connection_that_breaks(bench: Bench[SshTransport], proxy: Proxy) -> None:
    size = 10 << 20
    handle = bench.start(f"yes 'a line of output' | head -c {size}", strict=False)
    proxy.cut_after = size // 3
    expected = (b"a line of output\n" * (size // 17 + 1))[:size]
    output = follow(handle)[1]
    assert hashlib.sha256(output).digest() == hashlib.sha256(expected).digest()


class TestLost:
    """While the connection is lost."""

    def test_the_watcher_hears_it_and_hears_when_it_is_back(
        self, bench: Bench[SshTransport], proxy: Proxy
    ) -> None:
        handle = bench.start("sleep 300")
        before = time.time()
        proxy.cut(refuse=True)
        lose(handle)
        assert handle.lost.since.timestamp() == pytest.approx(before, abs=30)
        assert "127.0.0.1 cannot be reached" in str(handle.lost.error)
        assert (handle.result(), handle.read(0, 100)) == (None, b"")
        proxy.mend()
        assert handle.wait(0, 60, None) is Wakeup.LINK
        assert handle.lost is None

    def test_the_step_goes_on(self, bench: Bench[SshTransport], server: Sshd) -> None:
        handle = bench.start(SCRIPT)
        root = Path(bench.transport.link.hello().text("root"))
        server.kill()
        lose(handle)
        assert handle.lost.error.reason in (Reason.CLOSED, Reason.REFUSED)
        until((root / handle.attempt / "rc").exists)
        server.start()
        assert follow(handle)[1] == OUTPUT

    @pytest.mark.parametrize("freeze", ["proxy", "server"])
    def test_silence_is_noticed(
        self,
        bench: Bench[SshTransport],
        proxy: Proxy,
        server: Sshd,
        freeze: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        handle = bench.start(f"{SCRIPT}; sleep 1")
        with monkeypatch.context() as patch:
            for ask in (Link.ask, Link.ask_all):
                assert ask.__defaults__ == (link.ANSWER,)
                patch.setattr(ask, "__defaults__", (1.0,))  # seconds, which are waited for
            handle.wait(0, 60, None)
            before = time.monotonic()
            {"proxy": proxy, "server": server}[freeze].freeze()
            lose(handle)
        assert time.monotonic() - before < 60
        proxy.thaw()
        server.thaw()
        assert follow(handle)[1] == OUTPUT

    def test_nothing_else_is_believed(self, bench: Bench[SshTransport], proxy: Proxy) -> None:
        handle = bench.start("sleep 300")
        proxy.cut(refuse=True)
        for act in (
            lambda: bench.start("true"),
            lambda: handle.stop(0),
            lambda: bench.transport.attach(handle.attempt),
            bench.transport.spool,
        ):
            with pytest.raises(Unreachable):
                act()
        proxy.mend()
        until(lambda: bench.transport.link.patience == 0)
        assert bench.transport.attach(handle.attempt).presence is Presence.RUNNING
        assert handle.stop(0).gone

    def test_somebody_else_answers(self, bench: Bench[SshTransport], proxy: Proxy) -> None:
        handle = bench.start("sleep 300")
        with ssh_server() as other:
            proxy.target, back = other.port, proxy.target
            proxy.cut()
            lose(handle)
            assert handle.lost.error.reason is Reason.KEY_CHANGED
            assert "Accepted" not in other.log
        proxy.target = back
        assert handle.wait(0, 60, None) is Wakeup.LINK


@pytest.mark.parametrize("count", [50, pytest.param(200, marks=pytest.mark.faults)])
def test_many_steps_at_once(bench: Bench[SshTransport], server: Sshd, count: int) -> None:
    """An SSH server allows ten sessions on a connection, and not many connections at once."""
    logins = server.log.count("Accepted publickey")

    def run(number: int) -> bytes:
        handle = bench.transport.start(bench.job(f"echo {number}; sleep 2; echo end"))
        return follow(handle)[1]

    with ThreadPoolExecutor(count) as pool:
        outputs = list(pool.map(run, range(count)))
    assert outputs == [f"{number}\nend\n".encode() for number in range(count)]
    assert server.log.count("Accepted publickey") == logins


def test_a_server_that_allows_one_session(
    tmp_path: Path, open_transports: list[SshTransport]
) -> None:
    with ssh_server("MaxSessions 1") as server:
        transport = server.transport(tmp_path)
        open_transports.append(transport)
        transport.spool()
        handle = Bench(transport).start("sleep 300")
        assert handle.stop(0).gone
