"""What past executions of the same steps tell of one that goes on."""

from datetime import UTC, datetime, timedelta

import pytest

from cvdops.executions.estimate import estimate
from cvdops.executions.models import Execution, StepRun
from cvdops.executions.pace import Left
from cvdops.executions.past import ahead, lasted, past
from cvdops.executions.plan import from_json
from cvdops.executions.queries import steps_of
from cvdops.executions.worked import within
from cvdops.web.templatetags.live import time_left
from tests.executions.scene import Scene
from tests.executions.test_children import GATE, child, child_block
from tests.executions.test_engine import block

NOON = datetime(2026, 1, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TWO = (block("one", "true"), block("two", "true"))


def done(scene: Scene, count: int, minutes: int = 5) -> None:
    """So many executions before, each step of which took so long."""
    for _ in range(count):
        pk = scene.start().pk
        Execution.objects.filter(pk=pk).update(state="succeeded", finished_at=NOON)
        steps = StepRun.objects.filter(execution=pk)
        steps.update(
            state="succeeded", attempt_count=1, started_at=NOON, finished_at=NOON + minutes * MINUTE
        )


def going(scene: Scene, minutes: float) -> Execution:
    """One whose first step has run for so long at noon."""
    pk = scene.start().pk
    Execution.objects.filter(pk=pk).update(state="running", started_at=NOON)
    began = NOON - timedelta(minutes=minutes)
    StepRun.objects.filter(execution=pk, key="one").update(state="running", started_at=began)
    return Execution.objects.get(pk=pk)


def look(execution: Execution):  # type: ignore[no-untyped-def]
    steps = steps_of(execution)
    return ahead(execution, steps, past([execution.pk])[execution.pk], NOON, within(steps))


def test_the_rest_takes_what_it_took_before(scene: Scene) -> None:
    scene.runbook("\n".join(TWO))
    done(scene, 6)
    found = look(going(scene, 1))
    assert found.left == Left(540, 540, 6)
    assert str(found.left) == "9 min left, from 6 runs"
    assert not found.slow


def test_too_few_runs_tell_nothing(scene: Scene) -> None:
    scene.runbook("\n".join(TWO))
    done(scene, 2)
    found = look(going(scene, 1))
    assert found.going and found.left is None


def test_an_unknown_time_is_not_spoken_of_while_a_person_is_waited_for(scene: Scene) -> None:
    scene.runbook("\n".join(TWO))
    execution = scene.start()
    Execution.objects.filter(pk=execution.pk).update(state="waiting", started_at=NOON)
    assert not look(Execution.objects.get(pk=execution.pk)).going


def test_a_step_beyond_its_past_is_marked_and_the_rest_unknown(scene: Scene) -> None:
    scene.runbook("\n".join(TWO))
    done(scene, 6)
    found = look(going(scene, 6))
    assert found.left is None
    assert [step.title for step in found.slow] == ["one"]


def test_a_step_that_took_long_stays_marked_when_it_has_ended(scene: Scene) -> None:
    scene.runbook("\n".join(TWO))
    done(scene, 6)
    execution = going(scene, 6)
    runs = past([execution.pk])[execution.pk]
    execution.steps.filter(key="one").update(
        state="succeeded", finished_at=NOON, attempt_count=1, started_at=NOON - 6 * MINUTE
    )
    one, two = steps_of(execution)
    assert str(lasted(one, runs, {})) == "Longer than usual: 5 min at most in 95 % of 6 runs"
    assert lasted(two, runs, {}) is None
    one.attempt_count = 2  # it waited for somebody in between
    assert lasted(one, runs, {}) is None


def test_a_version_that_changed_a_step_begins_anew(scene: Scene) -> None:
    scene.runbook("\n".join(TWO))
    done(scene, 6)
    scene.runbook("\n".join([TWO[0], block("two", "sleep 1")]))
    execution = going(scene, 1)
    assert look(execution).left is None
    assert {key for run in past([execution.pk])[execution.pk] for key in run} == {"one"}


def test_what_was_tried_again_or_failed_tells_nothing(scene: Scene) -> None:
    scene.runbook("\n".join(TWO))
    done(scene, 6)
    StepRun.objects.filter(key="one").update(attempt_count=2)
    Execution.objects.filter(number__lte=Execution.objects.earliest("id").number + 1).update(
        state="failed"
    )
    execution = going(scene, 1)
    assert [set(run) for run in past([execution.pk])[execution.pk]] == [{"two"}] * 4


def test_several_are_read_in_one_query(scene: Scene, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    scene.runbook("\n".join(TWO))
    done(scene, 3)
    ids = [going(scene, 1).pk, going(scene, 2).pk]
    with django_assert_num_queries(1):
        found = past(ids)
    assert [len(found[pk]) for pk in ids] == [3, 3]


def nested(scene: Scene, waited: int) -> Execution:
    """One whose step started another execution: two minutes of work, and a gate between them."""
    execution = scene.run()
    inner = child(execution)
    at = dict(
        zip(
            ("first", "gate", "last"),
            ((0, 1), (1, 1 + waited), (1 + waited, 2 + waited)),
            strict=True,
        )
    )
    for key, (begin, end) in at.items():
        inner.steps.filter(key=key).update(
            state="succeeded",
            attempt_count=1,
            started_at=NOON + begin * MINUTE,
            finished_at=NOON + end * MINUTE,
        )
    execution.steps.update(
        state="succeeded",
        attempt_count=1,
        started_at=NOON,
        finished_at=NOON + (2 + waited) * MINUTE,
    )
    end = NOON + (2 + waited) * MINUTE
    Execution.objects.filter(pk__in=[execution.pk, inner.pk]).update(
        state="succeeded", started_at=NOON, finished_at=end, waiting_for={}
    )
    return execution


@pytest.fixture
def inner(scene: Scene) -> Scene:
    scene.other("inner", block("first", "true") + GATE + block("last", "true"))
    scene.runbook(child_block())
    return scene


def test_what_a_started_execution_waits_for_people_is_no_time_of_its_step(inner: Scene) -> None:
    for waited in (0, 5, 600):
        nested(inner, waited)
    execution = inner.run()
    assert past([execution.pk])[execution.pk] == ({"call": 120.0},) * 3
    assert estimate(from_json(execution.plan), "1 h").forward == 2 * MINUTE


def test_while_a_started_execution_waits_for_people_no_time_goes_by(inner: Scene) -> None:
    for _ in range(6):
        nested(inner, 0)
    execution = inner.run()
    inner.advance(child(execution))
    child(execution).steps.filter(key="first").update(started_at=NOON, finished_at=NOON + MINUTE)
    execution.steps.update(started_at=NOON - 60 * MINUTE)
    found = look(execution)
    assert found.left == Left(60, 60, 6) and not found.lasting
    assert time_left(found) == "<span>1 min</span>"


def test_hosts_that_waited_for_a_decision_in_between_took_what_they_worked(scene: Scene) -> None:
    hosts = [scene.environment.hosts.create(name=f"web-{n}", transport="local") for n in (1, 2)]
    scene.environment.groups.create(name="web").hosts.set(hosts)
    scene.runbook(block("one", "true", "target=web"))
    done(scene, 3)
    later = NOON + 60 * MINUTE
    StepRun.objects.filter(host="web-2").update(started_at=later, finished_at=later + MINUTE)
    pk = scene.start().pk
    assert past([pk])[pk] == ({"one": 360.0},) * 3
