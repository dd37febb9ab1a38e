"""Who hears of an approval that is waited for, and when."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from cvdops.access.delegations import delegate
from cvdops.accounts.models import User
from cvdops.approvals import services as approvals
from cvdops.approvals.models import ApprovalRequest
from cvdops.executions import emergencies, services
from cvdops.executions.emergencies import Declaration
from cvdops.executions.models import Execution
from cvdops.executions.reminders import remind
from cvdops.notifications.models import Message, Notice
from tests.cast import person
from tests.web.world import World

MANAGER, REQUESTER = "operations-manager", "devops-engineer"
RESPONSE = timedelta(minutes=15)


@pytest.fixture
def request_(world: World) -> ApprovalRequest:
    """One that nobody has heard of; it can be decided for two hours."""
    for role in ("operations-manager", "cto", "developer"):
        person(role)
    return ApprovalRequest.objects.get(pk=world.request())


def later(request: ApprovalRequest, pause: timedelta) -> None:
    """Let the request be so much older."""
    ApprovalRequest.objects.filter(pk=request.pk).update(
        created_at=F("created_at") - pause, expires_at=F("expires_at") - pause
    )
    remind()


def told(username: str) -> list[str]:
    """What this person reads, oldest first."""
    return list(
        Notice.objects.filter(user__username=username).order_by("id").values_list("text", flat=True)
    )


def test_who_may_decide_is_asked_and_nobody_else(request_: ApprovalRequest) -> None:
    remind()
    assert "asks for your approval" in told(MANAGER)[0]
    assert told("developer") == told("cto") == []


def test_who_asked_hears_whom_it_waits_for(request_: ApprovalRequest) -> None:
    remind()
    number = Execution.objects.get().number
    assert told(REQUESTER) == [
        f"Asked for the approval of Ask (#{number}): {User.objects.get(username=MANAGER).name}."
    ]


def test_a_look_that_finds_nothing_new_asks_little(request_: ApprovalRequest) -> None:
    remind()
    with CaptureQueriesContext(connection) as queries:
        remind()
    # Overdue changes, the lock in its transaction, all that may have to be told, what was told of it.
    assert len(queries) == 6


def test_an_emergency_is_told_as_one(request_: ApprovalRequest) -> None:
    execution = Execution.objects.get()
    Execution.objects.update(plan={**execution.plan, "emergency": True})
    remind()
    assert told(MANAGER)[0].startswith("Emergency: ")


def test_of_an_emergency_the_primary_hears_at_once(request_: ApprovalRequest) -> None:
    on_call = person("developer", "on-call")
    User.objects.filter(pk=on_call.pk).update(email="ops-primary@company.com")
    execution = Execution.objects.get()
    Execution.objects.update(plan={**execution.plan, "emergency": True})
    remind()
    assert "It goes up to Primary On-Call" in told("on-call")[0]
    assert told("cto") == []
    later(request_, RESPONSE)
    assert len(told("on-call")) == 1
    later(request_, 2 * RESPONSE)
    assert "goes up to CTO" in told("cto")[-1]


def test_everything_is_told_once(request_: ApprovalRequest) -> None:
    for _ in range(3):
        remind()
    assert len(told(MANAGER)) == len(told(REQUESTER)) == 1


def test_who_does_not_answer_is_reminded(request_: ApprovalRequest) -> None:
    remind()
    later(request_, RESPONSE)
    assert told(MANAGER)[1].startswith("Still waiting for your approval")


def test_then_it_goes_up_the_chain(request_: ApprovalRequest, settings: Settings) -> None:
    settings.NOTIFY = {"mail": "mailto://localhost"}
    on_call = person("developer", "on-call")
    User.objects.filter(pk=on_call.pk).update(email="ops-primary@company.com")
    remind()
    later(request_, 2 * RESPONSE)
    assert "goes up to Primary On-Call" in told("on-call")[0]
    later(request_, 3 * RESPONSE)
    assert "goes up to Operations Manager" in told(MANAGER)[-1]
    assert "goes up to CTO" in told("cto")[-1]
    assert set(Message.objects.values_list("recipient", flat=True)) >= {
        "ops-primary@company.com",
        "ops-secondary@company.com",
        "ops-manager@company.com",
        "cto@company.com",
    }


def test_of_a_decision_who_asked_hears_and_the_others_need_not_read_on(
    request_: ApprovalRequest,
) -> None:
    remind()
    manager, number = person(MANAGER), Execution.objects.get().number
    services.decide(manager, request_.pk, "approve", "go", request_.plan_digest)
    remind()
    assert told(REQUESTER)[-1] == f"Ask (#{number}) was approved by {manager.name}: go"
    assert not Notice.objects.filter(user=manager, read_at__isnull=True).exists()


def test_a_decision_for_somebody_names_both_and_is_told_to_both(request_: ApprovalRequest) -> None:
    manager, receiver = person(MANAGER), person("cto")
    delegate(manager, receiver.username, timezone.now() + timedelta(days=1), "away")
    remind()
    assert "asks for your approval" in told("cto")[0]
    services.decide(receiver, request_.pk, "approve", "", request_.plan_digest)
    remind()
    said = f"was approved by {receiver.name} for {manager.name}."
    assert said in told(REQUESTER)[-1]
    assert told(MANAGER)[-1].startswith(f"{receiver.name} decided for you. ")


def test_who_asked_hears_that_a_request_counts_no_more_and_why(request_: ApprovalRequest) -> None:
    remind()
    approvals.revoke(request_, "What would run has changed: a variable.")
    remind()
    assert told(REQUESTER)[-1].endswith("counts no more. What would run has changed: a variable.")


def test_of_a_request_that_nobody_needs_nobody_hears_again(request_: ApprovalRequest) -> None:
    remind()
    services.cancel(person(REQUESTER), request_.execution_id)
    remind()
    assert len(told(REQUESTER)) == 1


def test_that_nobody_can_decide_is_said(request_: ApprovalRequest) -> None:
    User.objects.filter(username=MANAGER).update(is_active=False)
    remind()
    assert "Nobody can approve" in told(REQUESTER)[0]


def test_a_low_one_goes_up_to_nobody(request_: ApprovalRequest) -> None:
    on_call = person("developer", "on-call")
    User.objects.filter(pk=on_call.pk).update(email="ops-primary@company.com")
    execution = Execution.objects.get()
    Execution.objects.update(plan={**execution.plan, "emergency": True})
    declared = Declaration("P3", "A reminder.", None, "It is low.")
    emergencies.store(execution, person("operations-lead"), declared)
    later(request_, timedelta(minutes=119))
    assert "goes up to" not in " ".join(told("on-call") + told("cto"))
    assert told(MANAGER)[-1].startswith("Emergency P3: Still waiting")
