"""Fixtures of the fault tests."""

import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker

from cvdops.environments.models import Host
from cvdops.executions.models import StepAttempt
from cvdops.runners.ssh.transport import SPOOL
from tests.executions import scene as scenes
from tests.faults.chance import chance
from tests.faults.effects import effects
from tests.faults.portal import Portal, web
from tests.faults.rig import Rig
from tests.faults.servers import Database, Server, at, postgres, redis_server, template
from tests.faults.truth import processes_of_attempts
from tests.hosts import introduce
from tests.sshd import Sshd, ssh_server
from tests.waiting import until


@pytest.fixture
def rig(transactional_db: None, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rig]:
    runbooks = tmp_path / "runbooks"
    runbooks.mkdir()
    with effects() as counter:
        yield Rig(scenes.make(runbooks), counter, tmp_path, chance(request.node.name))
    until(_nothing_left, what="the end of what a test that failed has left running")


def _nothing_left() -> bool:
    attempts = {str(pk) for pk in StepAttempt.objects.values_list("pk", flat=True)}
    left = [pid for one, pids in processes_of_attempts().items() if one in attempts for pid in pids]
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return not left


@pytest.fixture
def portal(rig: Rig, tmp_path: Path) -> Iterator[Portal]:
    """A web server and a worker beside the rig."""
    with web(tmp_path) as server, rig.workers(1) as workers:
        yield Portal(rig, server, workers)


@pytest.fixture(scope="session")
def empty_database(django_db_blocker: DjangoDbBlocker) -> Path:
    """The data folder of a PostgreSQL with empty tables, to be copied; all processes share it."""
    folder = Path(os.environ["CVDOPS_TEST_FOLDER"])
    made = folder / "template"
    with (folder / "template.lock").open("w") as lock, django_db_blocker.unblock():
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            template(folder / "template.new")
            (folder / "template.new").rename(made)
    return made / "data"


@pytest.fixture
def own_database(transactional_db: None, empty_database: Path) -> Iterator[Database]:
    """A PostgreSQL that the test may kill. This process works on it, too: ask for it before the rig."""
    with (
        open_folder() as folder,
        postgres(folder / "own", empty_database) as database,
        at(database.url),
    ):
        yield database


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Server]:
    """A Redis that the test may kill: give its workers `REDIS_URL=….url`."""
    with redis_server(tmp_path / "redis") as running:
        yield running


@contextmanager
def open_folder() -> Iterator[Path]:
    """One that PostgreSQL's user can pass through, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="cvdops-own-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    with ssh_server() as running:
        yield running


@pytest.fixture
def far(rig: Rig, server: Sshd) -> Host:
    """A host of the rig's environment that is reached by SSH, its key confirmed."""
    return add_host(rig, server, server.port)


def add_host(rig: Rig, server: Sshd, port: int) -> Host:
    """The host `far`, at this port: that of the server or of a proxy before it."""
    spool = server.login.home / SPOOL
    # what an earlier test has left, whose attempts are gone
    shutil.rmtree(spool, ignore_errors=True)
    host = introduce(server, rig.scene.environment.pk, port)
    rig.spools.append(spool)
    return host
