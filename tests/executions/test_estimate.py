"""How long a start would take: from the past, else from the document; and whether it fits."""

from datetime import UTC, datetime, timedelta

import pytest

from cvdops.executions import services
from cvdops.executions.estimate import Estimate, estimate, parse
from cvdops.executions.impact import impact
from cvdops.executions.models import Execution, StepRun
from cvdops.executions.plan import from_json
from tests.executions.scene import Scene
from tests.executions.test_engine import block

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 1, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "minutes"),
    [
        ("5-10 min", 10),
        ("30–45 minutes", 45),
        ("1 to 2 hours", 120),
        ("90 s", 1.5),
        ("1.5 h", 90),
        ("2 days", 2880),
        ("about ten minutes", None),
        ("", None),
    ],
)
def test_what_documents_say(said: str, minutes: float | None) -> None:
    assert parse(said) == (None if minutes is None else minutes * MINUTE)


@pytest.mark.parametrize(
    ("forward", "undo", "late"),
    [(30, 30, False), (30, 31, True), (60, 0, False), (61, 0, True), (None, 10, False)],
)
def test_late_is_what_leaves_no_time_to_roll_back(
    forward: int | None, undo: int, late: bool
) -> None:
    takes = None if forward is None else forward * MINUTE
    assert Estimate(takes, undo * MINUTE, 0).late(NOON, NOON + 60 * MINUTE) is late


def past(scene: Scene, *minutes: int) -> Execution:
    """Executions that took so long, beside hours in which they waited for an approval."""
    for took in minutes:
        execution = scene.start()
        Execution.objects.filter(pk=execution.pk).update(
            state="succeeded", finished_at=NOON + 9 * 60 * MINUTE
        )
        end = NOON + took * MINUTE
        StepRun.objects.filter(execution=execution).update(started_at=NOON, finished_at=end)
    return execution


def test_the_past_tells_more_than_the_document(scene: Scene) -> None:
    scene.runbook(block("one", "true", "destructive rollback=back"), block("back", "true"))
    plan = from_json(past(scene, 10, 11).plan)
    assert estimate(plan, "30-45 min") == Estimate(45 * MINUTE, 45 * MINUTE, 0, too_few=2)
    past(scene, *range(12, 20))
    assert estimate(plan, "30-45 min") == Estimate(18 * MINUTE, 18 * MINUTE, 10, 14 * MINUTE)


def test_what_lies_between_the_steps_counts_but_no_pause(scene: Scene) -> None:
    scene.runbook(block("one", "true") + block("two", "true") + block("three", "true"))
    second = timedelta(seconds=1)
    for _ in range(3):
        execution = scene.start()
        begins = dict(zip(("one", "two", "three"), (2, 15, 600), strict=True))
        for key, at in begins.items():
            StepRun.objects.filter(execution=execution, key=key).update(
                started_at=NOON + at * second, finished_at=NOON + (at + 10) * second
            )
        Execution.objects.filter(pk=execution.pk).update(
            state="succeeded", started_at=NOON, finished_at=NOON + 614 * second
        )
    # three times ten seconds, two before the first, three before the second, four after the last
    assert estimate(from_json(execution.plan), "1 h").median == 39 * second


def test_the_last_times_are_told_without_what_people_took(scene: Scene) -> None:
    gate = "#### Gate\n```approval {#gate}\napprovers: [operations-manager]\n```\n"
    scene.runbook(block("one", "true") + gate + block("two", "true"))
    execution = past(scene, 10)
    Execution.objects.filter(pk=execution.pk).update(started_at=NOON)
    steps = execution.steps
    steps.filter(key="gate").update(finished_at=NOON + 130 * MINUTE)
    steps.filter(key="two").update(started_at=NOON + 130 * MINUTE, finished_at=NOON + 135 * MINUTE)
    before = impact(scene.person("devops-engineer"), from_json(execution.plan)).last
    assert [one.took for one in before] == [15 * MINUTE]


def test_what_cannot_be_undone_needs_no_time_for_it(scene: Scene) -> None:
    scene.runbook(block("one", "true"))
    preview = services.preview(scene.person("devops-engineer"), "trial", "development", "do-it", {})
    assert estimate(preview.draft, "10 min") == Estimate(10 * MINUTE, timedelta(0), 0)
