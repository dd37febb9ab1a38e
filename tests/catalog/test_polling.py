"""Looking at the source without being asked."""

from datetime import timedelta
from pathlib import Path

import pytest
from celery import current_app
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from cvdops.catalog.models import CatalogSource, Runbook
from cvdops.catalog.origin import Origin
from cvdops.catalog.polling import claim_look
from cvdops.catalog.tasks import look
from cvdops.executions.pulse import Round
from tests.catalog.repositories import Work, document, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def work(tmp_path: Path, settings: Settings) -> Work:
    work = make(tmp_path / "source", one=document("one"))
    settings.RUNBOOKS, settings.RUNBOOKS_POLL = Origin(str(work.folder)), 60
    return work


def later(seconds: int) -> None:
    """As if so much time had gone by."""
    back = timedelta(seconds=seconds)
    CatalogSource.objects.update(looked_at=F("looked_at") - back, asked_at=F("asked_at") - back)


@pytest.mark.usefixtures("work")
def test_a_look_that_is_due_is_for_one_only() -> None:
    assert [claim_look() for _ in range(3)] == [True, False, False]
    later(61)
    assert [claim_look() for _ in range(2)] == [True, False]


def test_after_a_sync_none_is_due_for_a_while(work: Work) -> None:
    work.sync()
    assert not claim_look()
    later(61)
    assert claim_look()


def test_a_look_that_was_asked_for_and_lost_is_asked_for_again(work: Work) -> None:
    work.sync()
    later(61)
    assert claim_look()
    later(61)
    assert claim_look()


@pytest.mark.usefixtures("work")
def test_nothing_is_due_when_nobody_shall_look(settings: Settings) -> None:
    settings.RUNBOOKS_POLL = 0
    assert not claim_look()


def test_the_look_brings_in_what_is_new(work: Work) -> None:
    look()
    work.commit(two=document("two"))
    look()
    assert Runbook.objects.filter(pk="two").exists()


def test_a_look_that_fails_is_noted(work: Work) -> None:
    work.folder.rename(work.folder.with_name("away"))
    look()
    source = CatalogSource.objects.get()
    assert source.problem
    assert timezone.now() - source.looked_at < timedelta(minutes=1)


@pytest.mark.usefixtures("work")
def test_a_worker_asks_itself(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, _, queue: sent.append((name, queue)))
    monkeypatch.setattr("django.db.connection.close", lambda: None)
    of_a_worker = Round(["env.development"], "mine.dq")
    for _ in range(2):
        of_a_worker.beat()
    assert [queue for name, queue in sent if name == "catalog.look"] == ["mine.dq"]


def test_the_task_is_known_to_workers() -> None:
    current_app.loader.import_default_modules()
    assert "catalog.look" in current_app.tasks
