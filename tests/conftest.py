"""What all tests share."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase
from hypothesis import HealthCheck, settings
from pytest_django.plugin import DjangoDbBlocker

import cvdops.celery  # noqa: F401 — the application through which wake-ups are sent
from cvdops.catalog import sync
from tests import readers, schedule, tables
from tests.faults.chance import SEED
from tests.faults.servers import at

# Failures of shared tests are explained like any other, whoever imports them first.
pytest.register_assert_rewrite("tests.runners.conformance", "tests.runners.bench")

# How long an example takes says something about the machine, which others use too.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# A change is refused for what it does, not for what was found by chance meanwhile: see CONTRIBUTING.
usual = settings.get_profile("search")
settings.register_profile("suite", usual, derandomize=True, max_examples=40)
settings.load_profile("suite")

TransactionTestCase._fixture_teardown = tables.empty

# The same way, without the work that makes guessing slow.
Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost = 1, 64


def pytest_report_header() -> str:
    return f"seed of the random faults: {SEED} (CVDOPS_SEED={SEED} plays them again)"


class Failures:
    """Names each test when it fails, with what was wrong: a run that is cut off has said it all the same."""

    def __init__(self, config: pytest.Config) -> None:
        self._reporter = config.pluginmanager.get_plugin("terminalreporter")

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self._reporter is not None:
            self._reporter.write_line("")
            self._reporter.write_line(f"FAILED {report.nodeid} ({report.when})")
            self._reporter.write_line(report.longreprtext)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Failures(config))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object | None:
    return schedule.schedule(config, log) if config.option.dist == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        schedule.order(items)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The server ends with its databases. To drop one would wait for each connection that a test left."""
    return True


@pytest.fixture(scope="session")
def tables_of_all(django_db_blocker: DjangoDbBlocker) -> str:
    """A database with all tables, of which others are copies: to migrate takes longer than many tests."""
    folder, name = Path(os.environ["CVDOPS_TEST_FOLDER"]), "tables"
    with (folder / "tables.lock").open("w") as lock, django_db_blocker.unblock():
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / name).exists():
            url = os.environ["DATABASE_URL"]
            with psycopg.connect(url, autocommit=True) as server:
                server.execute(f"CREATE DATABASE {name}")
            with at(url.replace("/cvdops?", f"/{name}?")):
                call_command("migrate", verbosity=0)
            (folder / name).touch()
    return name


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tables_of_all: str
) -> None:
    """Each test process works on a copy."""
    connection.settings_dict["TEST"] |= {"TEMPLATE": tables_of_all, "MIGRATE": False}


@pytest.fixture(scope="session", autouse=True)
def _readers() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sync, "Reader", readers.Kept)
        yield
    readers.end()
