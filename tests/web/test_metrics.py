"""The page of metrics: what is counted, and that it is said when there is nothing to count."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from cvdops.environments.models import Environment
from cvdops.executions.metrics import metrics
from cvdops.executions.models import Emergency, Execution
from tests.api.calls import get, token
from tests.cast import person
from tests.web.world import World

MINUTE = timedelta(minutes=1)


def ended(execution: Execution, state: str, took: timedelta) -> Execution:
    """It began when it was asked for, and ended after that time."""
    found = Execution.objects.filter(pk=execution.pk)
    found.update(state=state, started_at=F("created_at"), finished_at=F("created_at") + took)
    return execution


@pytest.fixture(autouse=True)
def _real(world: World) -> None:
    Environment.objects.update(practice=False)


def test_nothing_to_count_is_said(world: World) -> None:
    page = world.client("auditor").get("/metrics/").content.decode()
    assert "nothing has finished" in page and "nothing to count" in page


def test_success_and_time_to_complete(world: World) -> None:
    times = (("succeeded", 2), ("failed", 9), ("cancelled", 9), ("succeeded", 4), ("succeeded", 3))
    for state, minutes in times:
        ended(world.start(), state, minutes * MINUTE)
    found = metrics(person("operations-lead"), 30)
    row = next(one for one in found.rows if one.runbook.pk == "deployment")
    assert (row.succeeded, row.finished, row.median) == (3, 4, 3 * MINUTE)
    assert (found.percent, found.met) == (75.0, False)
    page = world.client("operations-lead").get("/metrics/?days=90").content.decode()
    assert "below the target of 95&nbsp;%" in page and "3 min" in page


def test_a_share_of_the_runs_is_said_of_runs_alone(world: World) -> None:
    for number, seconds in enumerate((3.2, 3.2, 3.3, 3.6, 157)):
        ended(world.start(), "succeeded", timedelta(seconds=seconds))
        page = world.client("operations-lead").get("/metrics/").content.decode()
        too_few = f"too few past runs: {number + 1} that succeeded, and 3 are needed"
        assert (too_few in page) == (number < 2)
    assert "3.3 s as a rule, 2 min 37 s at most in 90&nbsp;% of 5 runs" in page


def test_recovery_counts_from_the_declaration_or_the_request(world: World) -> None:
    emergency = world.emergency()
    Emergency.objects.update(declared_at=Now() - 30 * MINUTE)
    Execution.objects.filter(pk=emergency.pk).update(finished_at=Now())
    by = {"by": "operations-lead", "runbook": "incident-response"}
    ended(world.start(**by), "succeeded", 10 * MINUTE)
    ended(world.start(**by), "failed", 50 * MINUTE)
    ended(world.start(**by), "rejected", 50 * MINUTE)
    ended(world.start(), "succeeded", 99 * MINUTE)  # no incident
    found = metrics(person("operations-lead"), 30).recoveries
    assert (len(found.times), found.others) == (2, 1)
    assert found.mean and abs(found.mean - 20 * MINUTE) < timedelta(seconds=2)


def test_practice_is_no_incident(world: World) -> None:
    by = {"by": "operations-lead", "runbook": "incident-response"}
    ended(world.start(**by), "succeeded", 10 * MINUTE)
    Environment.objects.update(practice=True)
    assert metrics(person("operations-lead"), 30).recoveries.times == ()


def test_nobody_counts_what_they_do_not_see(world: World) -> None:
    ended(world.start(), "succeeded", MINUTE)
    found = metrics(person("outsider"), 30)
    assert (found.rows, found.finished) == ((), 0)


def test_programs_read_the_same(world: World) -> None:
    for _ in range(3):
        ended(world.start(), "succeeded", 2 * MINUTE)
    found = get(token("operations-lead"), "metrics")
    (row,) = [one for one in found["runbooks"] if one["runbook"] == "deployment"]
    assert (found["finished"], row["median_seconds"]) == (3, 120.0)
    assert (found["recoveries"], found["recovery_mean_seconds"]) == (0, None)


def test_the_newest_of_each_runbook_are_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cvdops.executions.metrics.COUNTED", 2)
    for state in ("failed", "succeeded", "cancelled", "succeeded"):
        ended(world.start(), state, MINUTE)
    row = next(r for r in metrics(person("auditor"), 365).rows if r.runbook.pk == "deployment")
    assert (row.succeeded, row.finished, row.full) == (2, 2, True)
    page = world.client("auditor").get("/metrics/").content.decode()
    assert "2 of the newest 2" in page
