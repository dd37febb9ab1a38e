"""SSH servers for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cvdops.runners.ssh import SshTransport
from tests.runners.bench import Bench
from tests.sshd import Sshd, ssh_server


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    """One for a whole file of tests."""
    with ssh_server() as server:
        yield server


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one portal, whose connection is used by a whole file of tests."""
    return tmp_path_factory.mktemp("portal")


@pytest.fixture
def open_transports() -> Iterator[list[SshTransport]]:
    """What is put in here is closed afterwards, with its connection."""
    transports: list[SshTransport] = []
    yield transports
    for transport in transports:
        transport.close()
        transport.link.master.close()


@pytest.fixture
def ssh_bench(server: Sshd, portal: Path, tmp_path: Path) -> Iterator[Bench[SshTransport]]:
    """A bench on a channel of its own, with a spool of its own."""
    transport = server.transport(portal, spool=f"spool-{tmp_path.name}")
    transport.spool()
    bench = Bench(transport)
    yield bench
    bench.end()
    transport.close()
