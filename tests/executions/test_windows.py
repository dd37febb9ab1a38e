"""Windows at work: what may start, what waits, what goes on, whatever happens in between."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from cvdops.approvals.models import ApprovalRequest
from cvdops.catalog.models import Runbook
from cvdops.environments.models import Hold, Period
from cvdops.executions import openings, queries, services
from cvdops.executions.models import Event, Execution
from cvdops.lib.errors import Conflict, Refused
from cvdops.notifications.models import Notice
from tests.executions.scene import Scene
from tests.executions.test_engine import block

HOUR = timedelta(hours=1)
CHANGES = block("look", "true") + block("change", "true", "destructive rollback=back")
BACK = block("back", "true")
PAUSE = "#### pause\n\n```manual {#pause}\nHave a look.\n```\n\n"
GATE = "#### gate\n\n```approval {#gate}\napprovers: [operations-manager]\n```\n\n"


def window(starts_in: timedelta, length: timedelta = HOUR, kind: str = "window") -> Period:
    """A period of the scene's environment, as seen from now."""
    return Period.objects.create(
        environment_id="development",
        kind=kind,
        name=f"{kind} {Period.objects.count()}",
        starts_at=timezone.now() + starts_in,
        minutes=length.total_seconds() // 60,
    )


def looked(scene: Scene, execution: Execution) -> None:
    """Somebody has done the manual step."""
    step = execution.steps.get(key="pause")
    services.confirm(scene.person("devops-engineer"), execution.pk, step.pk, [0])


def shut(period: Period) -> None:
    """Let it end now."""
    Period.objects.filter(pk=period.pk).update(starts_at=timezone.now() - 10 * HOUR)


@pytest.fixture
def changing(scene: Scene) -> Scene:
    """A scene with a runbook that changes something."""
    scene.runbook(CHANGES, BACK)
    return scene


def test_a_start_outside_is_refused_with_the_next_window(changing: Scene) -> None:
    opening = window(2 * HOUR)
    with pytest.raises(Refused) as refused:
        changing.start()
    (reason,) = refused.value.reasons
    assert reason.code == "window"
    assert f"{opening.starts_at:%H:%M} UTC and is open for 1 h." in reason.text
    assert reason.remedy.startswith("Start it in the next window")


def test_a_start_inside_runs(changing: Scene) -> None:
    window(-HOUR / 2)
    assert changing.run().state == "succeeded"


def test_a_freeze_refuses_and_says_which(changing: Scene) -> None:
    window(-HOUR / 2)
    window(-HOUR / 2, kind="freeze")
    with pytest.raises(Refused, match="development is frozen until"):
        changing.start()


def test_read_only_procedures_are_not_bound(scene: Scene) -> None:
    window(2 * HOUR)
    scene.runbook(block("look", "true"))
    assert scene.run().state == "succeeded"


def test_incident_runbooks_are_not_bound(changing: Scene) -> None:
    window(2 * HOUR)
    Runbook.objects.filter(pk="trial").update(category="incidents")
    assert changing.run(by="operations-lead").state == "succeeded"


@pytest.mark.parametrize("kind", ["window", "freeze"])
def test_what_changes_something_waits_when_the_window_closed_meanwhile(
    scene: Scene, kind: str
) -> None:
    scene.runbook(PAUSE + CHANGES, BACK)
    period = window(-HOUR / 2)
    execution = scene.run()
    if kind == "window":
        shut(period)
        window(2 * HOUR)
    else:
        window(-HOUR / 2, kind="freeze")
    looked(scene, execution)
    scene.advance(execution)
    assert scene.states(execution)["look"] == "succeeded"
    assert scene.states(execution)["change"] == "pending"
    assert (execution.state, execution.waiting_for["code"]) == ("waiting", "window")
    assert "“change” changes something, and its window is closed" in execution.waiting_for["text"]


def test_somebody_resumes_it_in_the_next_window_and_not_before(scene: Scene) -> None:
    scene.runbook(PAUSE + CHANGES, BACK)
    period = window(-HOUR / 2)
    execution = scene.run()
    shut(period)
    looked(scene, execution)
    scene.advance(execution)
    engineer = scene.person("devops-engineer")
    resume = queries.controls(engineer, execution).resume
    assert resume.shown and [r.code for r in resume.decision.reasons] == ["window"]
    with pytest.raises(Conflict, match="may not be changed now"):
        services.resume(engineer, execution.pk)
    window(-HOUR / 2)
    assert queries.controls(engineer, execution).resume.decision.allowed
    services.resume(engineer, execution.pk)
    assert scene.advance(execution).state == "succeeded"


def test_a_rollback_is_not_held_up(scene: Scene) -> None:
    scene.runbook(CHANGES + block("fail", "false"), BACK)
    period = window(-HOUR / 2)
    execution = scene.run()
    shut(period)
    services.roll_back(scene.person("devops-engineer"), execution.pk)
    assert scene.advance(execution).state == "rolled_back"


def due(execution: Execution) -> None:
    """As if the time had come for which it waits."""
    assert execution.due_at is not None
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE executions_execution SET due_at = clock_timestamp() WHERE id = %s",
            [execution.pk],
        )


def test_a_start_is_queued_for_the_next_window(changing: Scene) -> None:
    opening = window(2 * HOUR)
    execution = changing.run(in_window=True)
    assert execution.state == "waiting"
    assert not queries.controls(changing.person("devops-engineer"), execution).resume.shown
    assert abs(execution.due_at - opening.starts_at) < timedelta(minutes=1)
    assert set(changing.states(execution).values()) == {"pending"}
    opening.starts_at = timezone.now() - HOUR / 2
    opening.save()
    due(execution)
    assert changing.advance(execution).state == "succeeded"
    assert execution.opens_at is None


def test_its_approvals_are_asked_before_the_window_opens(scene: Scene) -> None:
    scene.runbook(GATE + CHANGES, BACK)
    window(2 * HOUR)
    execution = scene.run(in_window=True)
    assert scene.states(execution)["gate"] == "waiting"
    request = scene.gate(execution)  # two hours to decide, and two until the window opens
    assert request.expires_at - request.created_at > timedelta(hours=3, minutes=59)
    scene.approve(execution)
    assert scene.advance(execution).waiting_for["code"] == "window"
    assert scene.states(execution)["look"] == "pending"


def test_what_is_queued_holds_no_lock(scene: Scene) -> None:
    scene.runbook(CHANGES, BACK, extra="locks: [db]\n")
    window(2 * HOUR)
    execution = scene.run(in_window=True)
    assert not execution.locks.exists()


def test_a_window_that_passed_without_a_worker_is_not_used_late(changing: Scene) -> None:
    opening = window(2 * HOUR)
    execution = changing.run(in_window=True)
    shut(opening)
    following = window(5 * HOUR)
    due(execution)
    changing.advance(execution)
    assert execution.state == "waiting"
    assert abs(execution.due_at - following.starts_at) < timedelta(minutes=1)


def moved(period: Period, starts_in: timedelta) -> Period:
    """Somebody has given it another time."""
    Period.objects.filter(pk=period.pk).update(starts_at=timezone.now() + starts_in)
    period.refresh_from_db()
    return period


def told(execution: Execution) -> list[str]:
    """What its requester was told of it and has not read."""
    found = Notice.objects.filter(subject=f"queued:{execution.pk}", read_at=None)
    return list(found.values_list("text", flat=True))


def test_what_is_queued_follows_its_window_and_who_asked_for_it_hears_of_it(
    changing: Scene,
) -> None:
    opening = window(2 * HOUR)
    execution = changing.run(in_window=True)
    openings.follow()
    assert told(execution) == []
    later = moved(opening, 5 * HOUR)
    assert openings.begins(execution) == later.starts_at  # before a worker has come to it
    openings.follow()
    openings.follow()
    execution.refresh_from_db()
    assert execution.opens_at == later.starts_at
    [text] = told(execution)
    assert f"{later.starts_at:%H:%M} UTC, not on" in text
    assert "the windows of development were changed" in text
    changing.advance(execution)
    assert abs(execution.due_at - later.starts_at) < timedelta(minutes=1)
    assert Event.objects.filter(execution=execution, kind="execution.moved").count() == 1


def test_what_is_queued_begins_when_its_window_is_moved_to_now(changing: Scene) -> None:
    opening = window(2 * HOUR)
    execution = changing.run(in_window=True)
    moved(opening, -HOUR / 2)
    openings.follow()
    assert "It begins now" in told(execution)[0]
    assert changing.advance(execution).state == "succeeded"


def test_what_has_no_window_left_says_so_once_and_waits(changing: Scene) -> None:
    opening = window(2 * HOUR)
    execution = changing.run(in_window=True)
    shut(opening)
    openings.follow()
    openings.follow()
    assert "No window is planned any more" in told(execution)[0]
    assert openings.begins(execution) is None
    assert changing.advance(execution).state == "waiting"
    moved(opening, 3 * HOUR)
    openings.follow()
    [text] = told(execution)
    assert "It begins on" in text


def test_an_approval_for_another_window_is_asked_for_anew_at_once(scene: Scene) -> None:
    scene.runbook(GATE + CHANGES, BACK)
    opening = window(2 * HOUR)
    execution = scene.run(in_window=True)
    scene.approve(execution)
    scene.advance(execution)
    moved(opening, 10 * HOUR)
    openings.follow()
    scene.advance(execution)
    assert scene.states(execution)["gate"] == "waiting"
    void, request = ApprovalRequest.objects.order_by("created_at")
    assert "Maintenance windows and freezes" in void.void_reason
    assert request.expires_at - request.created_at > timedelta(hours=11, minutes=59)


def test_what_a_worker_holds_is_left_to_it(changing: Scene) -> None:
    opening = window(2 * HOUR)
    execution = changing.run(in_window=True)
    Execution.objects.filter(pk=execution.pk).update(
        state="running", lease_until=timezone.now() + HOUR, lease_owner="another"
    )
    moved(opening, 5 * HOUR)
    openings.follow()
    assert told(execution) == []


def test_work_that_does_not_fit_into_the_other_window_says_so(scene: Scene) -> None:
    scene.runbook(CHANGES, BACK, extra="estimated_time: 20 min\n")
    opening = window(2 * HOUR)
    execution = scene.run(in_window=True)
    Period.objects.filter(pk=opening.pk).update(minutes=30)
    moved(opening, 5 * HOUR)
    openings.follow()
    assert "It may not be done, with time to be rolled back" in told(execution)[0]


def test_a_hold_keeps_what_is_queued_until_it_is_lifted(changing: Scene) -> None:
    opening = window(2 * HOUR)
    execution = changing.run(in_window=True)
    opening.starts_at = timezone.now() - HOUR / 2
    opening.save()
    owner, until = changing.person("operations-lead"), timezone.now() + HOUR
    hold = Hold.objects.create(runbook="trial", owner=owner, until=until, reason="It is wrong.")
    due(execution)
    changing.advance(execution)
    assert "has put a hold on the runbook trial" in execution.waiting_for["text"]
    Hold.objects.filter(pk=hold.pk).update(lifted_at=timezone.now(), lifted_by=owner)
    due(execution)
    assert changing.advance(execution).state == "succeeded"


def test_who_lost_the_role_meanwhile_starts_nothing(changing: Scene) -> None:
    window(2 * HOUR)
    execution = changing.run(in_window=True)
    changing.person("devops-engineer").grants.all().delete()
    due(execution)
    changing.advance(execution)
    assert execution.state == "cancelled"
    assert execution.outcome.startswith("It did not begin when its window opened. This needs Exec")


@pytest.mark.parametrize("on", [{"environment_id": "development"}, {"runbook": "trial"}, {}])
def test_a_hold_refuses_new_starts_and_lets_run_what_runs(scene: Scene, on: dict[str, str]) -> None:
    scene.runbook(GATE + block("look", "true"))
    execution = scene.run()
    owner, until = scene.person("operations-lead"), datetime(2099, 1, 1, tzinfo=UTC)
    Hold.objects.create(owner=owner, until=until, reason="The disk is full.", **on)
    with pytest.raises(Refused, match="The disk is full"):
        scene.start()
    scene.approve(execution)
    assert scene.advance(execution).state == "succeeded"


def test_holds_that_concern_something_else_refuse_nothing(scene: Scene) -> None:
    scene.runbook(block("look", "true"))
    owner, until = scene.person("operations-lead"), datetime(2099, 1, 1, tzinfo=UTC)
    Hold.objects.create(runbook="other", owner=owner, until=until, reason="x")
    over = Hold.objects.create(owner=owner, until=until, reason="x")
    Hold.objects.filter(pk=over.pk).update(lifted_at=timezone.now(), lifted_by=owner)
    assert scene.run().state == "succeeded"
