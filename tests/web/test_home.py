"""Home: what waits for whom, said once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from cvdops.access.certification import Stage
from cvdops.access.models import RoleGrant
from cvdops.accounts.models import User
from cvdops.changes import services as changes
from cvdops.environments.models import Environment
from cvdops.executions import closing
from cvdops.executions.models import Execution, StepRun
from cvdops.executions.reminders import remind
from cvdops.notifications.models import Notice
from cvdops.web import duties
from tests.cast import certify, person
from tests.web.world import World


def home(world: World, role: str) -> str:
    return world.client(role).get("/").content.decode()


def test_a_request_stands_once_on_home_with_its_number(world: World) -> None:
    person("operations-manager")
    world.request()
    remind()
    page = home(world, "operations-manager")
    assert f'Approve: Ask <span class="num">#{Execution.objects.get().number}</span>' in page
    assert "asks for your approval" not in page
    notices = world.client("operations-manager").get("/notices/").content.decode()
    assert "asks for your approval" in notices


def test_an_emergency_is_marked(world: World) -> None:
    world.request()
    execution = Execution.objects.get()
    Execution.objects.update(plan={**execution.plan, "emergency": True})
    mark = "</svg>Emergency</span>"
    assert home(world, "operations-manager").count(mark) == 2  # it waits, and it goes on
    assert mark in world.client("operations-manager").get("/approvals/").content.decode()
    assert mark in world.client("developer").get("/approvals/").content.decode()


def test_a_request_shows_its_protected_environment_as_such(world: World) -> None:
    world.request()
    Environment.objects.update(protected=True)
    for page in ("/", "/approvals/"):
        html = world.client("operations-manager").get(page).content.decode()
        waiting = html[html.index("Waiting for you</h2>") :]
        assert waiting.index('class="env protected"') < waiting.index("Review</a>")


def test_who_may_confirm_a_proposal_is_told_and_finds_it_on_home(world: World) -> None:
    lead = person("operations-lead")
    change = world.change()
    notice = Notice.objects.get()
    assert (notice.user, notice.path) == (lead, f"/permissions/changes/{change}/")
    assert f'id="confirm-{change}"' in home(world, "operations-lead")
    assert "needs a second person:" not in home(world, "operations-lead")
    assert f'id="confirm-{change}"' not in home(world, "admin")


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        (changes.confirm, "has confirmed your proposal"),
        (changes.refuse, "has refused your proposal"),
    ],
)
def test_who_proposed_it_hears_how_it_ended(
    verb: Callable[..., object], words: str, world: World
) -> None:
    lead = person("operations-lead")
    verb(lead, world.change(), "Agreed.")
    told = Notice.objects.get(user=person("admin"))
    assert words in told.text and "Agreed." in told.text
    assert not Notice.objects.filter(user=lead, read_at=None).exists()


def test_who_takes_a_proposal_back_is_told_nothing(world: World) -> None:
    person("operations-lead")
    changes.withdraw(person("admin"), world.change())
    assert not Notice.objects.filter(read_at=None).exists()


def test_a_start_under_supervision_tells_those_who_may_supervise(world: World) -> None:
    certify(person("devops-engineer"), Stage.SUPERVISED)
    lead = person("operations-lead")
    execution = world.start()
    notice = Notice.objects.get()
    assert notice.user == lead
    assert str(execution) in notice.text
    assert f'id="supervise-{execution.pk}"' in home(world, "operations-lead")


def closes(user: User) -> int:
    return len(duties.to_close(User.objects.get(pk=user.pk)))


@pytest.fixture
def ended(world: World) -> Execution:
    """What an engineer ran and has to close."""
    for role in ("operations-lead", "system-admin"):
        person(role)
    execution = world.start()
    execution.steps.update(started_at=timezone.now())
    Execution.objects.update(state="succeeded", finished_at=timezone.now())
    closing.begin(execution.pk)
    return execution


def test_who_ran_it_closes_it(ended: Execution) -> None:
    assert closes(person("devops-engineer")) == 1
    assert closes(person("operations-lead")) == 0


def test_an_emergency_that_is_to_be_closed_is_marked(ended: Execution, world: World) -> None:
    Execution.objects.update(plan={**ended.plan, "emergency": True})
    assert home(world, "devops-engineer").count("</svg>Emergency</span>") == 1


def test_where_the_role_of_whoever_ran_it_ended_a_lead_closes_it(ended: Execution) -> None:
    RoleGrant.objects.filter(user=person("devops-engineer")).delete()
    assert closes(person("devops-engineer")) == 0
    assert closes(person("operations-lead")) == 1
    assert closes(person("system-admin")) == 0


def test_or_who_took_part_and_may_execute(ended: Execution) -> None:
    other = person("devops-engineer", "other")
    ended.participants.create(user=other, part="assistant")
    RoleGrant.objects.filter(user=person("devops-engineer")).delete()
    assert closes(other) == 1
    assert closes(person("operations-lead")) == 0


def running(world: World, **values: object) -> Execution:
    """One whose only step has been running for ten minutes."""
    execution, now = world.start(), timezone.now()
    began = now - timedelta(minutes=10)
    known = {"state": "running", "started_at": began, "lease_until": now + timedelta(minutes=1)}
    Execution.objects.filter(pk=execution.pk).update(**{**known, **values})
    execution.steps.update(state="running", started_at=began)
    return execution


def test_a_row_says_how_long_the_rest_may_take_and_what_takes_unusually_long(world: World) -> None:
    for _ in range(6):
        before, now = world.start(), timezone.now()
        Execution.objects.filter(pk=before.pk).update(state="succeeded", finished_at=now)
        before.steps.update(
            state="succeeded",
            attempt_count=1,
            started_at=now - timedelta(minutes=20),
            finished_at=now,
        )
    execution = running(world)
    assert "10 min left, from 6 runs" in home(world, "devops-engineer")
    began = timezone.now() - timedelta(minutes=30)
    execution.steps.update(started_at=began)
    page = home(world, "devops-engineer")
    assert " takes longer than usual" in page
    assert f"{execution.steps.get().title}</b> takes" not in page  # it is named before
    assert "left, from" not in page


def test_nothing_is_said_to_run_that_no_worker_is_heard_of(world: World) -> None:
    running(world, lease_until=timezone.now() - timedelta(seconds=1))
    page = home(world, "devops-engineer")
    assert "</svg>Not heard of</span>" in page
    assert "</svg>Running</span>" not in page


@pytest.fixture
def stuck(world: World) -> Execution:
    """What an engineer runs and has to go on with."""
    for role in ("operations-lead", "system-admin"):
        person(role)
    execution = world.start()
    reason = {"code": "step", "text": "A step failed."}
    Execution.objects.update(state="waiting", waiting_for=reason, started_at=timezone.now())
    return execution


def test_what_stands_still_waits_for_who_runs_it(stuck: Execution, world: World) -> None:
    mark = f'id="mine-{stuck.pk}"'
    assert mark in home(world, "devops-engineer")
    assert mark not in home(world, "operations-lead")


def test_where_they_may_go_on_no_more_it_falls_to_a_lead(stuck: Execution, world: World) -> None:
    User.objects.filter(pk=person("devops-engineer").pk).update(is_active=False)
    mark = f'id="mine-{stuck.pk}"'
    assert mark in home(world, "operations-lead")
    assert mark not in home(world, "system-admin")


def test_a_review_that_is_due_waits_for_who_may_close_it(world: World) -> None:
    emergency = world.emergency()
    StepRun.objects.filter(execution=emergency.pk).update(started_at=timezone.now())
    page = home(world, "operations-manager")
    assert f'id="review-{emergency.pk}"' in page
    assert "Nothing waits for you." not in page
