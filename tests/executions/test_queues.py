"""Queues and their workers: who serves, who is missed, and what proves that messages come through."""

import re
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client

from cvdops.audit import witness
from cvdops.executions import canary, pulse, queues, standstill
from cvdops.executions.canary import Canary
from cvdops.executions.models import Execution, Worker
from tests.executions.scene import Scene

# A worker whose messages reach nobody; its database is away too, which must not keep it alive.
MUTE = """
import django; django.setup()
import cvdops.celery
from cvdops.executions import canary, pulse
canary.SILENCE = 0.5
pulse.Pulse([], "nobody.dq").run()
"""
SERVES = ["env.development"]


def silent(worker: str, seconds: float) -> None:
    """As if it had said nothing for so long."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE executions_worker SET seen_at = seen_at - make_interval(secs => %s) "
            "WHERE name = %s",
            [seconds, worker],
        )


@pytest.mark.django_db
def test_a_queue_is_served_until_its_worker_falls_silent() -> None:
    queues.seen("a", SERVES)
    assert queues.gap("env.development") is None
    silent("a", 11)
    gap = queues.gap("env.development")
    assert gap is not None and gap.since == Worker.objects.get().seen_at


@pytest.mark.django_db
def test_a_worker_that_left_in_order_is_missed_at_once() -> None:
    queues.seen("a", SERVES)
    queues.left("a")
    gap = queues.gap("env.development")
    assert gap is not None and gap.since == Worker.objects.get().left_at
    queues.seen("b", ["env.production", *SERVES])
    assert queues.gap("env.development") is None


@pytest.mark.django_db
def test_nobody_remembers_when_a_queue_was_served() -> None:
    assert queues.gap("env.staging") == queues.Gap("env.staging", None)


def page(scene: Scene, path: str) -> str:
    client = Client()
    client.force_login(scene.person("devops-engineer"))
    return client.get(path).content.decode()


def test_the_page_says_that_no_worker_serves_until_one_does(scene: Scene) -> None:
    scene.runbook("#### Say\n```bash {#say}\necho hello\n```\n")
    path = f"/executions/{scene.start().pk}/"
    assert "No worker serves <code>env.development</code>" in page(scene, path)
    queues.seen("a", SERVES)
    assert "No worker serves" not in page(scene, path)
    queues.left("a")
    assert "No worker serves <code>env.development</code> since" in page(scene, path)


def told(scene: Scene, execution: Execution) -> Any:
    """What a program reads of what it waits for: of the one as in the list."""
    client = Client()
    client.force_login(scene.person("devops-engineer"))
    found = client.get(f"/api/v1/executions/{execution.pk}").json()["waiting_for"]
    (listed,) = client.get("/api/v1/executions").json()["items"]
    if found:
        assert found.pop("locks") == []
    assert listed["waiting_for"] == found
    return found


def words(html: str) -> str:
    """The text of a page on one line, its times without their day."""
    text = " ".join(re.sub(r"<[^>]+>", "", html).split())
    return re.sub(r"\d{4}-\d{2}-\d{2} (?=\d{2}:\d{2}:\d{2} UTC)", "", text)


@pytest.mark.parametrize("worker", ["none", "silent", "left"])
@pytest.mark.parametrize("asked", ["", "cancel"])
def test_programs_read_the_words_of_the_page(scene: Scene, worker: str, asked: str) -> None:
    scene.runbook("#### Say\n```bash {#say}\necho hello\n```\n")
    execution = scene.start()
    Execution.objects.filter(pk=execution.pk).update(intent=asked)
    if worker != "none":
        queues.seen("a", SERVES)
        assert told(scene, execution) is None
        silent("a", 11) if worker == "silent" else queues.left("a")
    found = told(scene, execution)
    assert found is not None and found["code"] == standstill.UNSERVED
    assert words(found["text"]) in words(page(scene, f"/executions/{execution.pk}/"))
    assert found["text"].endswith("when one does.") == (not asked)


def test_programs_read_of_a_worker_that_was_lost_and_of_one_that_takes_over(scene: Scene) -> None:
    scene.runbook("#### Say\n```bash {#say}\necho hello\n```\n")
    execution, kept = scene.start(), Execution.objects.all()
    kept.update(state="running", lease_until=Now() + timedelta(hours=1))
    assert told(scene, execution) is None
    kept.update(lease_until=Now())
    assert told(scene, execution)["code"] == standstill.UNSERVED
    queues.seen("a", SERVES)
    assert told(scene, execution) == {"code": standstill.SILENT, "text": standstill.SILENCE}
    assert standstill.SILENCE in page(scene, f"/executions/{execution.pk}/")


def test_lists_say_that_no_worker_comes_for_what_ran(scene: Scene) -> None:
    scene.runbook("#### Say\n```bash {#say}\necho hello\n```\n")
    execution = scene.start()
    Execution.objects.filter(pk=execution.pk).update(
        state="running",
        state_since=Now() - timedelta(days=2),
        lease_until=Now() - timedelta(minutes=3),
    )
    queues.seen("a", SERVES)
    silent("a", 7_500)
    lists = ("/", "/executions/", f"/runbooks/{execution.runbook_id}/")
    for path in lists:
        html = page(scene, path)
        assert "No worker serves env.development" in html and "Not heard of" in html
    assert "No worker serves env.development for 3 min" in words(page(scene, "/executions/"))
    queues.seen("a", SERVES)
    assert not [path for path in lists if "No worker serves" in page(scene, path)]


def test_a_gate_needs_no_worker(scene: Scene) -> None:
    scene.runbook("#### Gate\n```approval {#gate}\napprovers: [operations-manager]\n```\n")
    execution = scene.run()
    assert "No worker serves" not in page(scene, f"/executions/{execution.pk}/")
    assert told(scene, execution)["code"] == "approval"


def test_a_lost_worker_that_nobody_follows_is_no_comfort(scene: Scene) -> None:
    scene.runbook("#### Say\n```bash {#say}\necho hello\n```\n")
    execution = scene.start()
    Execution.objects.filter(pk=execution.pk).update(
        state="running", lease_until=execution.created_at
    )
    html = page(scene, f"/executions/{execution.pk}/")
    assert "No worker serves" in html and "another worker takes over" not in html


def test_the_launch_page_warns_before_the_start(scene: Scene) -> None:
    scene.runbook("#### Say\n```bash {#say}\necho hello\n```\n")
    path = "/runbooks/trial/run/?environment=development"
    assert "What is started now waits until one does." in page(scene, path)
    queues.seen("a", SERVES)
    assert "What is started now waits" not in page(scene, path)


def test_a_canary_that_redis_took_and_nobody_brought_back_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(canary, "SILENCE", -1.0)
    mine = Canary()
    mine.sent(accepted=False)
    assert not mine.lost
    mine.sent(accepted=True)
    assert mine.lost and mine.due
    mine.returned()
    assert not mine.lost and not mine.due


def test_a_redis_that_goes_away_ends_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary, "SILENCE", -1.0)
    mine = Canary()
    mine.sent(accepted=True)
    mine.sent(accepted=False)
    assert not mine.lost and mine.due


def test_a_worker_that_hears_nothing_ends_itself() -> None:
    worker = subprocess.run(
        [sys.executable, "-c", MUTE], timeout=120, capture_output=True, text=True
    )
    assert worker.returncode == 70, worker.stderr
    assert "no message of it comes through" in worker.stderr


@pytest.mark.django_db(transaction=True)
def test_a_search_that_takes_too_long_keeps_no_other_from_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns: list[str] = []

    def slow() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 50")
            try:
                cursor.execute("SELECT pg_sleep(60)")
            finally:
                cursor.execute(
                    "RESET statement_timeout"
                )  # the pool gives this connection to others

    monkeypatch.setattr(pulse, "rescue", slow)
    monkeypatch.setattr(witness, "look", lambda: turns.append("witness"))
    pulse.Round(SERVES, "mine.dq").beat()
    assert turns == ["witness"]
