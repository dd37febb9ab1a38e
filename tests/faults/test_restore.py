"""F24: the backup of a while ago is restored. Nothing goes on by itself, and what was lost is listed."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from psycopg.sql import SQL, Identifier

from cvdops.doctor import targets
from cvdops.executions import context
from cvdops.executions.models import Execution, StepAttempt
from cvdops.runners.local import LocalTransport
from tests.faults.rig import Rig
from tests.faults.servers import at, leave
from tests.faults.workers import database_url
from tests.waiting import until

QUIET = 3.0  # seconds for which workers are watched that must not do anything


@contextmanager
def backup() -> Iterator[str]:
    """A copy of the database as it is now: its address."""
    source = connection.settings_dict["NAME"]
    copy = f"{source}_backup"
    leave()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        make, drop = SQL("CREATE DATABASE {} TEMPLATE {}"), SQL("DROP DATABASE {} WITH (FORCE)")
        server.execute(make.format(Identifier(copy), Identifier(source)))
        yield database_url().replace(f"/{source}?", f"/{copy}?")
        server.execute(drop.format(Identifier(copy)))


@pytest.mark.faults
def test_a_backup_restored_under_executions(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = LocalTransport(rig.folder / "spool")
    monkeypatch.setattr(context, "_local", lambda: spool)
    rig.runbook(rig.step("one", seconds=1.5))
    with rig.workers():
        [running] = rig.start()
        until(lambda: StepAttempt.objects.exists(), what="the step")
    rig.start()
    with backup() as url:
        with rig.workers():
            rig.settled(Execution.objects.all())
            [lost] = rig.start()
            rig.settled([lost])
        stray = str(StepAttempt.objects.get(step__execution=lost).pk)
        with at(url):
            call_command("restored")
            with rig.workers():
                time.sleep(QUIET)
            assert set(Execution.objects.values_list("state", flat=True)) == {"paused"}
            assert running.steps.get().state == "interrupted"
            assert stray in targets.hosts()[-1].found
