"""F13: the connection to a host is lost in every way. The step goes on, once; the page says since when."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from cvdops.executions.attempts import LATE
from cvdops.executions.models import Execution
from tests.faults.conftest import add_host
from tests.faults.rig import Rig
from tests.proxy import Proxy
from tests.sshd import Sshd, ssh_server
from tests.waiting import until

SINCE = re.compile(r"The connection to far has been lost since \d\d:\d\d:\d\d UTC\.")


@pytest.fixture
def server() -> Iterator[Sshd]:
    """One for each test: its spool is looked through."""
    with ssh_server() as running:
        yield running


@pytest.fixture
def proxy(rig: Rig, server: Sshd) -> Iterator[Proxy]:
    """All connections to `far` go through it."""
    proxy = Proxy(server.port)
    add_host(rig, server, proxy.port)
    yield proxy
    proxy.close()


def reset(proxy: Proxy, server: Sshd) -> None:
    proxy.cut()


def reset_within_an_answer(proxy: Proxy, server: Sshd) -> None:
    proxy.cut_after = 500


def kill_the_sessions(proxy: Proxy, server: Sshd) -> None:
    for pid in server.processes()[:-1]:
        with suppress(ProcessLookupError):  # it ended by itself meanwhile
            os.kill(pid, signal.SIGKILL)


def restart_the_server(proxy: Proxy, server: Sshd) -> None:
    server.restart()


QUICK = [reset, reset_within_an_answer, kill_the_sessions, restart_the_server]


def begun(rig: Rig, executions: list[Execution]) -> None:
    def count() -> int:
        return [word for _, word in rig.effects.counted()].count("begin")

    until(lambda: count() == len(executions), what="the steps' beginning")


def told(rig: Rig, execution: Execution) -> None:
    """The page says it."""
    until(lambda: SINCE.match(rig.scene.steps(execution)["one"].note), what="a note on the step")


def trial(
    rig: Rig, proxy: Proxy, server: Sshd, faults: list[Callable[[Proxy, Sshd], None]], count: int
) -> None:
    """Steps that run while each fault happens, one after the other at random moments."""
    rig.runbook(rig.step("one", "target=far", seconds=len(faults) * 0.8 + 1, lines=40))
    with rig.workers(1):
        executions = rig.start(count)
        begun(rig, executions)
        for fault in faults:
            moment = rig.chance.uniform(0.3, 0.8)
            until(waited(moment))
            fault(proxy, server)
        rig.settled(executions, 90)
    rig.truth(executions)


def waited(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def test_the_connection_breaks_in_every_way(rig: Rig, proxy: Proxy, server: Sshd) -> None:
    trial(rig, proxy, server, QUICK, 3)


def test_a_host_that_is_away_and_comes_back(rig: Rig, proxy: Proxy) -> None:
    rig.runbook(rig.step("one", "target=far", seconds=1))
    with rig.workers(1):
        (execution,) = rig.start()
        begun(rig, [execution])
        proxy.cut(refuse=True)
        told(rig, execution)
        proxy.mend()
        rig.settled([execution])
    assert rig.scene.steps(execution)["one"].note in {"", LATE}  # it may have ended meanwhile
    rig.truth([execution])


@pytest.mark.faults
def test_twenty_of_each(rig: Rig, proxy: Proxy, server: Sshd) -> None:
    faults = QUICK * 20
    rig.chance.shuffle(faults)
    trial(rig, proxy, server, faults, 5)


@pytest.mark.faults
def test_silent_for_long(rig: Rig, proxy: Proxy) -> None:
    """Nothing gets through for half a minute, and nobody is told."""
    rig.runbook(rig.step("one", "target=far", seconds=5, lines=40), rig.step("two", "target=far"))
    with rig.workers(1):
        executions = rig.start(3)
        begun(rig, executions)
        proxy.freeze()
        for execution in executions:
            told(rig, execution)
        until(waited(30))
        proxy.mend()
        rig.settled(executions, 90)
    rig.truth(executions)


@pytest.mark.faults
def test_unreachable_for_ten_minutes(rig: Rig, proxy: Proxy) -> None:
    """The page keeps saying since when; what ran meanwhile is found as it ended."""
    rig.runbook(rig.step("one", "target=far", seconds=5, lines=40), rig.step("two", "target=far"))
    with rig.workers(1):
        executions = rig.start(3)
        begun(rig, executions)
        proxy.cut(refuse=True)
        until(waited(600), 660)
        for execution in executions:
            told(rig, execution)
        proxy.mend()
        rig.settled(executions, 90)
    rig.truth(executions)
