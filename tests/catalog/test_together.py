"""Syncs that come together, and those that are killed."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from django.db import connection, connections
from pytest_django import Settings

from cvdops.catalog.models import CatalogSource, RunbookVersion
from cvdops.catalog.sync import SourceUnreadable, sync
from cvdops.lib.errors import Conflict
from tests.catalog.repositories import Work, document, make, versions
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    work = make(tmp_path / "source", one=document("one"))
    work.commit(one=document("one", "again"), two=document("two"))
    return work


def command(work: Work, **environment: str) -> "subprocess.Popen[str]":
    """`manage.py sync` on this test's database."""
    host = connection.settings_dict
    url = f"postgresql://{host['USER']}@/{host['NAME']}?host={host['HOST']}"
    more = {"DATABASE_URL": url, "CVDOPS_RUNBOOKS": str(work.folder), **environment}
    return subprocess.Popen(
        [sys.executable, "manage.py", "sync"],
        env=os.environ | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_at_once_do_it_once(work: Work) -> None:
    def one(_: int) -> str:
        try:
            return work.sync().head
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        heads = set(pool.map(one, range(4)))
    assert heads == {work.git("rev-parse", "HEAD")}
    assert [number for number, _, _ in versions("one")] == [1, 2]


def test_who_waits_too_long_is_told(work: Work, settings: Settings) -> None:
    settings.RUNBOOKS_TIMEOUT = 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [0x43564401])
    try:
        with ThreadPoolExecutor(1) as pool:
            refused = pool.submit(lambda: (connections.close_all(), work.sync())).exception()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [0x43564401])
    assert isinstance(refused, Conflict)


@pytest.mark.parametrize("place", ["sync.fetched", "sync.read", "sync.stored"])
def test_one_that_dies_leaves_nothing_half_done(work: Work, place: str) -> None:
    killed = command(work, CVDOPS_FAILPOINT=place)
    killed.communicate(timeout=PATIENCE)
    assert killed.returncode == 9
    assert not RunbookVersion.objects.exists()
    work.sync()
    assert len(versions("one")) == 2
    assert CatalogSource.objects.get().head == work.git("rev-parse", "HEAD")


def test_one_that_is_killed_while_git_works_is_no_obstacle(work: Work, tmp_path: Path) -> None:
    """Its git lives on for a moment, and ends by itself."""
    program, began = tmp_path / "ssh", tmp_path / "began"
    program.write_text(f"#!/bin/sh\necho $$ >> '{began}'\nexec sleep 2\n")
    program.chmod(0o755)
    more = {
        "CVDOPS_RUNBOOKS": f"ssh://git@127.0.0.1{work.folder}",
        "CVDOPS_RUNBOOKS_SSH": str(program),
    }
    killed = command(work, **more)
    until(began.exists, what="ssh")
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=PATIENCE)
    assert work.actions() == {"one.md": "added", "two.md": "added"}


def test_what_a_killed_git_left_is_no_obstacle(work: Work, settings: Settings) -> None:
    work.sync()
    (copy,) = (settings.DATA_DIR / "catalog").glob("*.git")
    for name in ("refs/catalog/head.lock", "config.lock", "objects/pack/tmp_pack_x"):
        (copy / name).touch()
    new = work.commit(one=document("one", "new"))
    assert sync_head(work) == new
    assert not list(copy.glob("objects/pack/tmp_*"))


def test_a_copy_that_is_damaged_is_made_anew(work: Work, settings: Settings) -> None:
    work.sync()
    (copy,) = (settings.DATA_DIR / "catalog").glob("*.git")
    for pack in copy.glob("objects/pack/*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(pack.read_bytes()[:40])
    new = work.commit(one=document("one", "new"))
    for _ in range(2):  # it may come to light only when the objects are read
        with suppress(SourceUnreadable):
            sync_head(work)
    assert CatalogSource.objects.get().head == new


def test_a_copy_that_was_begun_is_no_obstacle(work: Work, settings: Settings) -> None:
    (settings.DATA_DIR / "catalog" / "new" / "objects").mkdir(parents=True)
    assert sync_head(work)


def sync_head(work: Work) -> str:
    return sync(work.folder).head
