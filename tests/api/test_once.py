"""S32: one effect for one `Idempotency-Key`, and the same answer to the same words."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from django.db import connections
from django.utils import timezone

from cvdops.api import once
from cvdops.api.models import KeptAnswer
from cvdops.approvals.models import Decision
from cvdops.audit.models import AuditEntry
from cvdops.executions.models import Execution
from cvdops.lib import failpoints
from tests.api.calls import call, token
from tests.api.test_deciding import body as decision
from tests.api.test_starting import body
from tests.waiting import PATIENCE
from tests.web import world as worlds
from tests.web.world import World

KEY = {"idempotency-key": "build-4711"}


def test_the_same_words_get_the_same_answer(world: World) -> None:
    text = token("devops-engineer")
    one, two = (call(text, "POST", "executions", body(), headers=KEY) for _ in range(2))
    assert (one.status_code, one.content) == (two.status_code, two.content)
    assert one["Content-Type"] == two["Content-Type"]
    assert Execution.objects.count() == 1
    assert AuditEntry.objects.filter(action="execution.start").count() == 1


def test_without_a_key_each_is_another(world: World) -> None:
    text = token("devops-engineer")
    assert [call(text, "POST", "executions", body()).status_code for _ in range(2)] == [201, 201]
    assert Execution.objects.count() == 2


def test_other_words_with_the_key_are_refused(world: World) -> None:
    text = token("devops-engineer")
    call(text, "POST", "executions", body(), headers=KEY)
    answer = call(text, "POST", "executions", body(reason="another"), headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "another" not in answer.content.decode()
    assert Execution.objects.count() == 1


def test_somebody_else_has_keys_of_their_own(world: World) -> None:
    for role in ("devops-engineer", "operations-lead"):
        assert call(token(role), "POST", "executions", body(), headers=KEY).status_code == 201
    assert Execution.objects.count() == 2


def test_another_token_of_the_same_person_has_the_same_keys(world: World) -> None:
    for _ in range(2):
        text = token("devops-engineer")
        assert call(text, "POST", "executions", body(), headers=KEY).status_code == 201
    assert Execution.objects.count() == 1


def test_another_call_has_keys_of_its_own(world: World) -> None:
    text, made = token("devops-engineer"), world.start()
    for verb in ("pause", "cancel"):
        answer = call(text, "POST", f"executions/{made.pk}/{verb}", {}, headers=KEY)
        assert answer.status_code == 200
    other = world.start()
    answer = call(text, "POST", f"executions/{other.pk}/cancel", {}, headers=KEY)
    assert answer.status_code == 409
    other.refresh_from_db()
    assert other.state == "queued"


def test_a_verb_and_a_decision_are_repeated_too(world: World) -> None:
    text, made = token("devops-engineer"), world.start()
    verbs = [call(text, "POST", f"executions/{made.pk}/pause", {}, headers=KEY) for _ in range(2)]
    assert [a.status_code for a in verbs] == [200, 200]
    path, text = f"approvals/{world.request()}/decide", token("operations-manager")
    said = decision(comment="fine")
    decided = [call(text, "POST", path, said, headers=KEY) for _ in range(2)]
    assert [a.status_code for a in decided] == [200, 200]
    assert Decision.objects.count() == 1


def test_what_was_refused_may_be_tried_again(world: World) -> None:
    text, made = token("devops-engineer"), world.start()
    path = f"executions/{made.pk}/resume"
    assert call(text, "POST", path, {}, headers=KEY).status_code == 409
    assert call(text, "POST", "executions", body(reason=""), headers=KEY).status_code == 422
    assert not KeptAnswer.objects.exists()
    call(text, "POST", f"executions/{made.pk}/pause", {})
    assert call(text, "POST", path, {}, headers=KEY).status_code == 200


def test_a_key_serves_a_day(world: World) -> None:
    text = token("devops-engineer")
    call(text, "POST", "executions", body(), headers=KEY)
    KeptAnswer.objects.update(made_at=timezone.now() - once.KEPT)
    call(text, "POST", "executions", body(), headers=KEY)
    assert Execution.objects.count() == 2
    assert KeptAnswer.objects.count() == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "ä"])
def test_a_key_that_is_none_starts_nothing(key: str, world: World) -> None:
    headers = {"idempotency-key": key}
    answer = call(token("devops-engineer"), "POST", "executions", body(), headers=headers)
    assert [p["field"] for p in answer.json()["problems"]] == ["Idempotency-Key"]
    assert not Execution.objects.exists()


def test_no_secret_can_be_guessed_from_what_is_kept(world: World) -> None:
    call(token("devops-engineer"), "POST", "executions", body(), headers=KEY)
    (kept,) = KeptAnswer.objects.all()
    assert not {"only-for-this-test", "v1.0.1"} & set(bytes(kept.body).decode().split('"'))
    assert len(kept.fingerprint) == 64


def test_fifty_at_once_are_one(transactional_db: None, tmp_path: Path) -> None:
    worlds.make(tmp_path)
    text, barrier = token("devops-engineer"), Barrier(50, timeout=PATIENCE)

    def send(_: int) -> tuple[int, bytes]:
        barrier.wait()
        try:
            answer = call(text, "POST", "executions", body(), headers=KEY)
            return answer.status_code, answer.content
        finally:
            connections.close_all()

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(send, range(50)))
    # Who finds no connection is told to come back; nobody is told anything else.
    assert {status for status, _ in answers} <= {201, 503}
    assert len({content for status, content in answers if status == 201}) == 1
    assert Execution.objects.count() == 1
    assert call(text, "POST", "executions", body(), headers=KEY).status_code == 201
    assert Execution.objects.count() == 1


class Crash(BaseException):
    """The process ends here: nothing that follows is done, and nobody is answered."""


def crash() -> None:
    raise Crash


@pytest.mark.parametrize(("place", "done"), [("write", 0), ("announce", 1)])
def test_a_crash_leaves_the_effect_with_its_answer_or_neither(
    place: str, done: int, transactional_db: None, tmp_path: Path
) -> None:
    worlds.make(tmp_path)
    text = token("devops-engineer")
    failpoints.arm(place, crash)
    with pytest.raises(Crash):
        call(text, "POST", "executions", body(), headers=KEY)
    failpoints.arm("")
    assert (Execution.objects.count(), KeptAnswer.objects.count()) == (done, done)
    answer = call(text, "POST", "executions", body(), headers=KEY)
    assert answer.status_code == 201
    assert answer.json()["id"] == str(Execution.objects.get().pk)
