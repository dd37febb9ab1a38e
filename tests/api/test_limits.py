"""S37: one person asks for too much, is told when to come back, and can still decide and cancel."""

import pytest

from cvdops.access import limits
from cvdops.executions.models import Execution
from tests.api.calls import call, token
from tests.api.test_deciding import body as decision
from tests.api.test_starting import body
from tests.cast import person
from tests.web.world import World


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three of each, and hours until there is room again."""
    for kind, (_, _, name) in list(limits._RATES.items()):
        monkeypatch.setitem(limits._RATES, kind, (3, 0.001, name))


def test_more_starts_than_are_taken(world: World, little: None) -> None:
    text = token("devops-engineer")
    answers = [call(text, "POST", "executions", body()) for _ in range(5)]
    assert [a.status_code for a in answers] == [201, 201, 201, 429, 429]
    last = answers[-1]
    assert last.json()["code"] == "too_many"
    assert last["Content-Type"] == "application/problem+json"
    assert 900 <= int(last["Retry-After"]) <= 1000
    assert Execution.objects.count() == 3


def test_somebody_else_has_room(world: World, little: None) -> None:
    for _ in range(4):
        last = call(token("devops-engineer"), "POST", "executions", body())
    assert last.status_code == 429
    assert call(token("operations-lead"), "POST", "executions", body()).status_code == 201


def test_what_ends_trouble_is_never_counted(world: World, little: None) -> None:
    made, request = world.start(), world.request()
    for role, path, said in (
        ("devops-engineer", f"executions/{made.pk}/cancel", {}),
        ("operations-manager", f"approvals/{request}/decide", decision()),
    ):
        text = token(role)
        while call(text, "GET", "executions").status_code != 429:
            pass
        assert call(text, "POST", path, said).status_code == 200


def test_what_is_answered_as_before_starts_nothing_and_is_not_counted_so(
    world: World, little: None
) -> None:
    text, key = token("devops-engineer"), {"idempotency-key": "one"}
    answers = [call(text, "POST", "executions", body(), headers=key) for _ in range(3)]
    assert {a.status_code for a in answers} == {201}
    assert limits._left[person("devops-engineer").pk, limits.Kind.START][0] > 1.9


def test_notes_and_verbs_are_counted(world: World, little: None) -> None:
    text, path = token("devops-engineer"), f"executions/{world.start().pk}/notes"
    limits._left.clear()
    found = [call(text, "POST", path, {"text": "x"}).status_code for _ in range(4)]
    assert found == [201, 201, 201, 429]


def test_room_comes_back_with_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    user, now = person("developer"), 1000.0
    monkeypatch.setattr(limits.time, "monotonic", lambda: now)
    for _ in range(30):
        limits.take(user, limits.Kind.START)
    with pytest.raises(limits.TooMany) as refused:
        limits.take(user, limits.Kind.START)
    assert refused.value.wait == 2
    now += 2
    limits.take(user, limits.Kind.START)


def test_a_few_searches_in_the_output_at_the_same_time(world: World) -> None:
    user = person("developer")
    open_ones = [limits.asking(user) for _ in range(limits.AT_ONCE)]
    for one in open_ones:
        one.__enter__()
    answer = call(token("developer"), "GET", "executions", output="x")
    assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    assert call(token("auditor"), "GET", "executions", output="x").status_code == 200
    assert call(token("developer"), "GET", "executions", q="x").status_code == 200
    visit = world.client("developer")
    assert visit.get("/executions/?output=word").status_code == 429
    assert visit.get("/executions/").status_code == 200  # the list alone costs little
    for one in open_ones:
        one.__exit__(None, None, None)
    assert call(token("developer"), "GET", "executions", output="x").status_code == 200
    assert not limits._asking


def test_a_stream_too_many_is_not_opened(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STREAMS", 0)
    monkeypatch.setattr("django.db.connections.close_all", lambda: None)
    path = f"executions/{world.start().pk}/events"
    answer = call(token("developer"), "GET", path)
    assert (answer.status_code, answer["Retry-After"]) == (429, "10")
    page = world.client("developer").get("/" + path + "/")
    assert (page.status_code, page["Retry-After"]) == (429, "10")


def test_variables_that_are_too_large_are_not_read(world: World) -> None:
    given = body(variables={f"V{n}": "x" * 60_000 for n in range(50)})
    answer = call(token("devops-engineer"), "POST", "executions", given)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
