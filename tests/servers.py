"""The servers the tests run against: a PostgreSQL and a Redis of their own, once per test run.

Loaded by `-p tests.servers`, because Django's settings are read before any conftest is.
"""

import atexit
import os
import shutil
import signal
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from cvdops.stack import redis
from cvdops.stack.parts import Running
from cvdops.stack.postgres import FORGETFUL, Postgres

IMPATIENT = {"statement_timeout": "200s"}  # what waits for a lock that nobody gives back fails
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
_running: list[Running] = []
_folder: list[Path] = []


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, object, object]:
    """Before pytest-django, which is no wrapper, reads the settings."""
    # A run in the background ignores these two, and so would every program that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    if WORKER:
        _separate_worker(Path(os.environ["CVDOPS_TEST_FOLDER"]))
    else:
        _start()
    return (yield)


def _stop() -> None:
    while _running:
        _running.pop().stop()
    while _folder:
        shutil.rmtree(_folder.pop(), ignore_errors=True)


def _start() -> None:
    folder = Path(tempfile.mkdtemp(prefix="cvdops-test-"))
    folder.chmod(0o711)  # PostgreSQL's user passes through when root runs the tests
    _folder.append(folder)
    atexit.register(_stop)  # also when the servers or pytest itself fail to start
    postgres = Postgres(folder / "postgres", folder / "sockets", {**FORGETFUL, **IMPATIENT})
    postgres.initialise()
    parts = postgres.part(), redis.part(folder / "redis")
    _running.extend(Running(part, folder / f"{part.name}.log") for part in parts)
    for server in _running:
        server.wait_ready()
    os.environ["CVDOPS_TEST_FOLDER"] = str(folder)
    os.environ["DATABASE_URL"] = postgres.url
    _separate(folder, "main", 0)


def _separate_worker(folder: Path) -> None:
    _separate(folder, WORKER, int(WORKER.removeprefix("gw")) + 1)


def _separate(folder: Path, name: str, number: int) -> None:
    """Each test process has its own data folder and Redis database."""
    data = folder / name
    data.mkdir(exist_ok=True)
    os.environ["CVDOPS_DATA_DIR"] = str(data)
    os.environ["REDIS_URL"] = redis.url(folder / "redis", number)
    os.environ["CVDOPS_RUNBOOKS_POLL"] = "0"  # a test says itself when the runbooks are read
    os.environ["CVDOPS_RUNBOOKS_TIMEOUT"] = "120"  # seconds: the machine may have no time
    for variable in (
        "PYTHONDONTWRITEBYTECODE",  # each program that a test starts would compile the portal anew
        "CVDOPS_MODE",
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "CVDOPS_SPOOL",
        "CVDOPS_PRACTICE",
        "CVDOPS_RUNBOOKS",
        "CVDOPS_RUNBOOKS_BRANCH",
        "CVDOPS_RUNBOOKS_FOLDER",
    ):
        os.environ.pop(variable, None)
