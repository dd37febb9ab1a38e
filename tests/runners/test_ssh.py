"""Jobs on another machine: this one, through a real SSH server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cvdops.runners.ssh import SshTransport
from tests.runners.conformance import Conformance
from tests.sshd import Sshd


@pytest.fixture(scope="module")
def transport(server: Sshd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshTransport]:
    transport = server.transport(tmp_path_factory.mktemp("portal"))
    transport.spool()
    yield transport
    transport.close()
    transport.link.master.close()


class TestSsh(Conformance):
    @pytest.fixture
    def tmp_path(self, server: Sshd, request: pytest.FixtureRequest) -> Path:
        """A folder that the user over there can write to."""
        folder = server.login.home / f"test-{abs(hash(request.node.nodeid))}"
        folder.mkdir()
        folder.chmod(0o777)
        return folder

    @pytest.fixture
    def launcher(self, transport: SshTransport) -> str:
        address, folder = transport.address, transport.client.folder
        return (
            "from pathlib import Path\nfrom cvdops.runners.job import Job\n"
            "from cvdops.runners.ssh import Address, SshTransport\n"
            f"folder = Path({str(folder)!r})\n"
            f"transport = SshTransport({address!r}, folder, config=folder / 'account/config')"
        )
