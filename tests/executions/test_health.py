"""Watching an environment after an execution: looks by workers, and the result of two hours."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from cvdops.audit.models import AuditEntry
from cvdops.executions import closing, health, services
from cvdops.executions.leases import HOLDS
from cvdops.executions.models import Closing, Execution, Health, HealthSample
from cvdops.lib.errors import Conflict, Invalid
from cvdops.notifications.models import Notice
from cvdops.runners.http import Answer
from tests.executions.scene import Scene
from tests.executions.test_engine import block
from tests.http_server import HttpServer, answer
from tests.waiting import joined

QUEUES = ["env.development"]
ORDER = (Health.OK, Health.DEGRADED, Health.UNREACHABLE)  # the better one first
OUTCOMES = st.lists(st.sampled_from(list(Health)), max_size=40)


@pytest.fixture
def server(scene: Scene) -> Iterator[HttpServer]:
    """The health endpoint of the environment."""
    with HttpServer(answer(b'{"status": "healthy"}')) as server:
        scene.environment.addresses.create(host="127.0.0.1", port=server.port)
        scene.environment.health_url = f"{server.url}/health"
        scene.environment.save()
        yield server


def ended(scene: Scene) -> Execution:
    """An execution that ended just now, and is watched."""
    scene.runbook(block("one", "true"))
    execution = scene.run()
    closing.begin(execution.pk)
    return execution


def long_ago(execution: Execution, outcomes: Sequence[Health] = ()) -> None:
    """It ended three hours ago, and each minute since had one of these outcomes."""
    then = timezone.now() - timedelta(hours=3)
    Execution.objects.filter(pk=execution.pk).update(finished_at=then)
    Closing.objects.update(ended_at=then, watched_until=then + health.WATCHED)
    HealthSample.objects.bulk_create(taken(outcomes, then, execution.environment_id))


def taken(
    outcomes: Sequence[Health], since: object = None, environment: str = ""
) -> list[HealthSample]:
    start = since or timezone.now()
    return [
        HealthSample(
            environment_id=environment,
            minute=start + timedelta(minutes=n),
            at=start + timedelta(minutes=n),
            outcome=outcome,
            text=f"look {n}",
        )
        for n, outcome in enumerate(outcomes)
    ]


def test_a_look_asks_the_endpoint_once_a_minute(scene: Scene, server: HttpServer) -> None:
    execution = ended(scene)
    assert closing.due(QUEUES, 9) == [execution.pk]
    closing.look(execution.pk)
    closing.look(execution.pk)
    assert server.last.startswith(b"GET /health ")
    assert len(server.requests) == 1
    sample = HealthSample.objects.get()
    assert (sample.outcome, sample.text) == ("ok", "It answered 200.")


def test_many_workers_and_executions_take_one_look(scene: Scene, server: HttpServer) -> None:
    executions = [ended(scene), scene.run()]
    closing.begin(executions[1].pk)
    assert len(closing.due(QUEUES, 9)) == 1

    def look(n: int) -> None:
        closing.look(executions[n % 2].pk)
        connection.close()

    threads = [Thread(target=look, args=[n], daemon=True) for n in range(6)]
    for thread in threads:
        thread.start()
    joined(*threads)
    assert len(server.requests) == HealthSample.objects.values("minute").count()


@pytest.mark.parametrize(
    ("status", "body", "seconds", "outcome"),
    [
        (200, b"fine", 0.1, Health.OK),
        (204, b"", 0.1, Health.OK),
        (200, b'{"status": "degraded"}', 0.1, Health.DEGRADED),
        (200, b'["status"]', 0.1, Health.OK),
        (200, b"fine", 2.5, Health.DEGRADED),
        (301, b"", 0.1, Health.DEGRADED),
        (503, b'{"status": "healthy"}', 0.1, Health.DEGRADED),
    ],
)
def test_an_answer_tells(status: int, body: bytes, seconds: float, outcome: Health) -> None:
    assert health.understood(Answer(status, "", body), seconds).outcome == outcome


def test_nobody_there_is_unreachable(scene: Scene, server: HttpServer) -> None:
    server.__exit__()
    closing.look(ended(scene).pk)
    sample = HealthSample.objects.get()
    assert sample.outcome == "unreachable"
    assert "cannot be reached" in sample.text


def test_an_endpoint_that_is_not_allowed_is_not_asked(scene: Scene, server: HttpServer) -> None:
    scene.environment.addresses.all().delete()
    closing.look(ended(scene).pk)
    assert server.requests == []
    sample = HealthSample.objects.get()
    assert sample.outcome == "unseen"
    assert "is not among the allowed HTTP addresses of development" in sample.text


def test_an_answer_that_does_not_come_is_not_waited_for(
    scene: Scene, server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.2)
    server.answers = lambda connection: connection.recv(1) and None
    closing.look(ended(scene).pk)
    assert HealthSample.objects.get().text == "It did not answer within 0.2 s."


def test_a_worker_that_leaves_takes_its_look_not_further(
    scene: Scene, server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = ended(scene)
    HOLDS.draining.set()
    try:
        closing.look(execution.pk)
    finally:
        HOLDS.draining.clear()
    assert HealthSample.objects.get().outcome == "unseen"


def test_two_good_hours_confirm_the_item(scene: Scene, server: HttpServer) -> None:
    execution = ended(scene)
    long_ago(execution, [Health.OK] * 119)
    assert closing.due(QUEUES, 9) == [execution.pk]
    closing.look(execution.pk)
    found = Closing.objects.get()
    assert (found.health, found.health_text) == ("ok", "It was well in all of 119 looks.")
    assert execution.checklist.get(moment="after", position=3).verified
    assert AuditEntry.objects.get(action="execution.watch").data["health"] == "ok"
    assert closing.due(QUEUES, 9) == []
    assert server.requests == []


def test_a_bad_end_asks_a_person_for_a_word(scene: Scene, server: HttpServer) -> None:
    execution, engineer = ended(scene), scene.person("devops-engineer")
    with pytest.raises(Conflict, match="The portal watches the environment until"):
        services.close_item(engineer, execution.pk, 3, "it is fine")
    long_ago(execution, [Health.OK] * 100 + [Health.UNREACHABLE])
    closing.look(execution.pk)
    assert Closing.objects.get().health == "unreachable"
    with pytest.raises(Invalid, match=r"100 of 101 looks.*Write what you saw"):
        services.close_item(engineer, execution.pk, 3)
    notice = Notice.objects.get(user=engineer)
    assert "development was unreachable. It was well in 100 of 101 looks" in notice.text
    services.close_item(engineer, execution.pk, 3, "the switch was replaced")
    notice.refresh_from_db()
    assert notice.read_at


def test_without_an_endpoint_a_person_watches(scene: Scene) -> None:
    execution, engineer = ended(scene), scene.person("devops-engineer")
    assert closing.due(QUEUES, 9) == []
    with pytest.raises(Invalid, match="has no health endpoint"):
        services.close_item(engineer, execution.pk, 3)
    services.close_item(engineer, execution.pk, 3, "the graphs were flat")


def test_nobody_who_looked_is_not_taken_for_good(scene: Scene, server: HttpServer) -> None:
    execution = ended(scene)
    long_ago(execution, [Health.OK] * 30)
    closing.look(execution.pk)
    found = Closing.objects.get()
    assert found.health == "unseen"
    assert found.health_text == "It was seen in 30 of 120 minutes only: no worker was there."


@given(OUTCOMES, st.integers(0, 40))
def test_a_look_that_was_worse_never_makes_the_result_better(
    outcomes: list[Health], place: int
) -> None:
    if place >= len(outcomes) or outcomes[place] not in ORDER[:-1]:
        return
    worse = [*outcomes]
    worse[place] = ORDER[ORDER.index(outcomes[place]) + 1]
    before = health.judge(taken(outcomes), len(outcomes)).outcome
    after = health.judge(taken(worse), len(outcomes)).outcome
    assert (before == Health.UNSEEN) == (after == Health.UNSEEN)
    if before in ORDER:
        assert ORDER.index(after) >= ORDER.index(before)


@given(OUTCOMES)
def test_it_is_well_only_if_every_look_was(outcomes: list[Health]) -> None:
    found = health.judge(taken(outcomes), 120)
    assert found.outcome != Health.OK or set(outcomes) <= {Health.OK, Health.UNSEEN}
