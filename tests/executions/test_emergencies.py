"""Emergencies: declared by a Lead, with notice or a reason why not, approved, reviewed afterwards."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone
from pytest_django import Settings

from cvdops.approvals.seed import seed_policies
from cvdops.audit.models import AuditEntry
from cvdops.environments.models import Environment, Period
from cvdops.executions import closing, emergencies, services
from cvdops.executions.emergencies import Declaration
from cvdops.executions.models import Emergency, Execution
from cvdops.lib.errors import Conflict, Invalid, Refused
from cvdops.notifications.models import Message
from tests.cast import person
from tests.executions.scene import Scene
from tests.executions.test_engine import block
from tests.executions.test_windows import HOUR, window

DOWN = Declaration("P1", "The service is down.", None, "It broke a minute ago.")


@pytest.fixture
def closed(scene: Scene) -> Scene:
    """A scene with a runbook that changes something, two hours before the window opens."""
    scene.runbook(block("change", "true", "destructive rollback=back"), block("back", "true"))
    window(2 * HOUR)
    return scene


def declare(scene: Scene, by: str = "operations-lead", said: Declaration = DOWN) -> Execution:
    return scene.run(by=by, emergency=said)


def test_a_lead_starts_outside_the_window(closed: Scene) -> None:
    execution = declare(closed)
    assert execution.state == "succeeded"
    assert execution.plan["emergency"] is True
    assert execution.emergency.reason == "The service is down."


def test_channels_hear_that_it_was_declared_and_how_it_ended(
    closed: Scene, settings: Settings
) -> None:
    settings.NOTIFY = {"slack": "slack://x"}
    execution = declare(closed)
    closing.begin(execution.pk)
    closing.begin(execution.pk)
    said = list(Message.objects.order_by("id").values_list("body", flat=True))
    assert [one.partition("\n")[0] for one in said] == [
        f"Emergency P1: Operations-Lead has declared one in development, execution {execution}.",
        f"Execution {execution} in development has ended: succeeded.",
    ]


def test_whoever_may_only_execute_declares_none(closed: Scene) -> None:
    with pytest.raises(
        Refused, match="This needs Lead on deployment in development; you have Exec"
    ):
        declare(closed, "devops-engineer")


def test_it_passes_a_freeze_and_no_hold(closed: Scene) -> None:
    window(-HOUR, 5 * HOUR, kind="freeze")
    assert declare(closed).state == "succeeded"
    owner, until = closed.person("operations-lead"), timezone.now() + HOUR
    Environment.objects.get().hold_set.create(owner=owner, until=until, reason="x")
    with pytest.raises(Refused, match="has put a hold"):
        declare(closed)


def test_the_manager_or_the_cto_approves_it(closed: Scene) -> None:
    Environment.objects.create(slug="production", name="Production")
    seed_policies()
    production = Environment.objects.get(pk="production")
    production.hosts.create(name="here", transport="local", default=True)
    Period.objects.update(environment=production)
    lead = closed.person("operations-lead")
    execution = services.start(
        lead,
        runbook="trial",
        environment="production",
        reason="x",
        checklist="confirmed",
        emergency=DOWN,
    )
    closed.advance(execution)
    request = closed.gate(execution)
    assert [group["approvers"] for group in request.groups] == [["operations-manager", "cto"]]
    services.decide(closed.person("cto"), request.pk, "approve", "Do it.", request.plan_digest)
    assert closed.advance(execution).state == "succeeded"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Declaration("", "x", None, "x"), "Say how urgent it is: P0, P1, P2, P3"),
        (Declaration("P4", "x", None, "x"), "Say how urgent it is"),
        (Declaration("P1", "", None, "x"), "Say why it cannot wait"),
        (Declaration("P1", "x", None, ""), "They were not told two hours ago"),
        (Declaration("P1", "x", timezone.now() - HOUR, ""), "They were not told two hours ago"),
        (Declaration("P1", "x", timezone.now() + HOUR, "x"), "not when they will be"),
        (Declaration("P1", "x" * 2001, None, "x"), "At most 2000 characters"),
    ],
)
def test_what_is_no_declaration(closed: Scene, said: Declaration, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        declare(closed, said=said)
    assert not Execution.objects.exists()


def test_two_hours_of_notice_need_no_reason(closed: Scene) -> None:
    told = Declaration("P1", "The disk is filling up.", timezone.now() - 3 * HOUR)
    assert declare(closed, said=told).emergency.short_notice == ""


def test_nothing_is_declared_that_needs_it_not(scene: Scene) -> None:
    scene.runbook(block("change", "true", "destructive"))
    with pytest.raises(Invalid, match="nothing has to be declared"):
        declare(scene)
    window(2 * HOUR)
    scene.runbook(block("look", "true"))
    with pytest.raises(Invalid, match="nothing has to be declared"):
        declare(scene)


def test_it_is_recorded_with_its_reasons(closed: Scene) -> None:
    execution = declare(closed)
    entry = AuditEntry.objects.get(subject="emergency")
    assert entry.subject_id == str(execution.pk)
    assert entry.data["short_notice"] == "It broke a minute ago."
    assert entry.data["priority"] == execution.emergency.priority == "P1"


def test_its_review_is_due_when_it_is_over_and_written_once(closed: Scene) -> None:
    lead = person("operations-lead", "another-lead")
    execution = declare(closed)
    (due,) = emergencies.to_review(lead)
    assert due.review_due == execution.finished_at + timedelta(days=7)
    with pytest.raises(Refused):
        emergencies.review(closed.person("devops-engineer"), execution.pk, "x")
    with pytest.raises(Invalid):
        emergencies.review(lead, execution.pk, " ")
    emergencies.review(lead, execution.pk, "A disk that nobody watched.")
    assert not emergencies.to_review(lead)
    with pytest.raises(Conflict):
        emergencies.review(lead, execution.pk, "again")


@pytest.mark.parametrize("role", ["operations-manager", "cto"])
def test_a_manager_closes_the_review_of_the_only_lead(closed: Scene, role: str) -> None:
    """Nobody had to approve it, so nobody else could."""
    execution = declare(closed)
    assert not execution.steps.filter(kind="approval").exists()
    with pytest.raises(Refused, match="the Operations Manager, the CTO"):
        emergencies.review(person("auditor"), execution.pk, "x")
    (due,) = emergencies.to_review(person(role))
    emergencies.review(person(role), due.pk, "A disk that nobody watched.")
    assert Emergency.objects.get().reviewed_by == person(role)


def test_who_declared_it_does_not_close_its_review(closed: Scene) -> None:
    execution = declare(closed)
    lead = closed.person("operations-lead")
    assert not emergencies.to_review(lead)
    with pytest.raises(Refused, match="somebody else closes its review"):
        emergencies.review(lead, execution.pk, "All is well.")


def test_one_that_ended_before_it_began_is_neither_reviewed_nor_counted(closed: Scene) -> None:
    execution = closed.start(by="operations-lead", emergency=DOWN)
    services.cancel(closed.person("operations-lead"), execution.pk)
    closed.advance(execution)
    other = person("operations-lead", "another-lead")
    assert Emergency.objects.get().review_due is None
    assert (emergencies.to_review(other), emergencies.count(other)) == ([], 0)
    with pytest.raises(Conflict, match="Nothing of it ran"):
        emergencies.review(other, execution.pk, "x")


def test_the_database_asks_for_notice_or_a_reason(closed: Scene) -> None:
    execution = declare(closed)
    with pytest.raises(IntegrityError):
        Emergency.objects.filter(execution=execution).update(short_notice="")


def test_the_database_knows_the_four_priorities_alone(closed: Scene) -> None:
    declare(closed)
    with pytest.raises(IntegrityError):
        Emergency.objects.update(priority="P4")


def test_how_many_there_were_lately(closed: Scene) -> None:
    declare(closed)
    assert emergencies.count(closed.person("operations-lead")) == 1
    Emergency.objects.update(declared_at=timezone.now() - timedelta(days=31))
    assert emergencies.count(closed.person("operations-lead")) == 0
