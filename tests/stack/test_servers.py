"""The embedded PostgreSQL and Redis, on folders of their own."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis as client

from cvdops.stack import redis
from cvdops.stack.parts import Running, StartError
from cvdops.stack.postgres import FORGETFUL, Postgres
from cvdops.stack.process import identify
from tests.faults.servers import copied


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, because of the sockets; with a space; reachable by PostgreSQL's user."""
    path = Path(tempfile.mkdtemp(prefix="cvdops a "))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def initialised() -> Iterator[Path]:
    """The data of a new one, to be copied: that is done much sooner."""
    path = Path(tempfile.mkdtemp(prefix="cvdops a "))
    path.chmod(0o711)
    postgres = Postgres(path / "data", path / "sockets", FORGETFUL)
    postgres.initialise()
    yield postgres.data
    shutil.rmtree(path)


@pytest.fixture
def postgres(folder: Path, initialised: Path) -> Postgres:
    postgres = Postgres(folder / "data", folder / "sockets", FORGETFUL)
    copied(initialised, postgres.data)
    postgres.initialise()
    return postgres


@pytest.fixture
def started(postgres: Postgres, folder: Path) -> Iterator[Running]:
    running = Running(postgres.part(), folder / "log")
    running.wait_ready()
    yield running
    running.stop()


def test_postgres_answers_at_its_url(postgres: Postgres, started: Running) -> None:
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("cvdops",)


def test_postgres_does_not_run_as_root(started: Running) -> None:
    assert Path(f"/proc/{started.process.pid}").stat().st_uid != 0


def test_postgres_listens_on_its_private_socket_only(postgres: Postgres, started: Running) -> None:
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    assert postgres.sockets.stat().st_mode & 0o777 == 0o700


def test_data_outlives_a_restart(postgres: Postgres, started: Running, folder: Path) -> None:
    with psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE TABLE planogram AS SELECT 7 AS slot")
    started.stop()
    again = Running(postgres.part(), folder / "log")
    again.wait_ready()
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SELECT slot FROM planogram").fetchone() == (7,)
    again.stop()


def test_an_orphan_on_our_data_is_ended(postgres: Postgres, started: Running) -> None:
    assert postgres.end_orphan()
    assert identify(started.process.pid) is None


def test_a_stale_pid_file_that_names_another_process_is_removed(postgres: Postgres) -> None:
    stale = postgres.data / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{postgres.data}\n")
    assert not postgres.end_orphan()
    assert not stale.exists()


def test_data_of_another_version_is_refused(postgres: Postgres) -> None:
    (postgres.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(StartError, match="written by PostgreSQL 17, this is 18"):
        postgres.initialise()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as another user")
def test_below_a_closed_folder_the_data_goes_where_its_user_can_come(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cvdops.stack.placement.STATE", folder)
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    postgres = Postgres(closed / "postgres", folder / "sockets")
    assert (closed / "postgres").resolve() == postgres.data
    assert Postgres(closed / "postgres", folder / "sockets").data == postgres.data


def test_redis_answers_and_never_evicts(folder: Path) -> None:
    running = Running(redis.part(folder / "redis"), folder / "log")
    running.wait_ready()
    with client.Redis.from_url(redis.url(folder / "redis"), decode_responses=True) as connection:
        assert connection.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    running.stop()
    assert running.process.returncode == -signal.SIGTERM or running.process.returncode == 0


def test_redis_that_is_gone_does_not_answer(folder: Path) -> None:
    assert not redis.answers(folder / "redis.sock")
