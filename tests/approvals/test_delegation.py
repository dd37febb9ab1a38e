"""Deciding for somebody else, for a time."""

from datetime import timedelta

import pytest
from django.db.models import F

from cvdops.access import delegations
from cvdops.access.models import ApproverGroup, Delegation
from cvdops.accounts.models import User
from cvdops.approvals.models import ApprovalPolicy, Decision
from cvdops.environments.calendar import now
from cvdops.executions.models import Execution
from cvdops.lib.errors import Conflict, Invalid, NotFound, Refused
from tests.approvals.test_separation import also, asked, decide
from tests.executions.scene import Scene

DAY = timedelta(days=1)


def delegate(giver: User, receiver: User, until: timedelta = DAY) -> Delegation:
    return delegations.delegate(giver, receiver.username, now() + until, "holiday")


def given(scene: Scene) -> tuple[Execution, User, User]:
    """An execution at its gate; the manager lets the auditor decide."""
    manager, auditor = scene.person("operations-manager"), scene.person("auditor")
    delegate(manager, auditor)
    return asked(scene), manager, auditor


def test_a_delegate_decides_and_both_are_named(scene: Scene) -> None:
    execution, manager, auditor = given(scene)
    decide(scene, auditor, execution)
    said = Decision.objects.get()
    assert (said.user, said.on_behalf_of) == (auditor, manager)
    assert said.who == "Auditor for Operations-Manager"
    assert scene.advance(execution).state == "succeeded"


def test_a_delegation_that_is_over_gives_nothing(scene: Scene) -> None:
    execution, _, auditor = given(scene)
    Delegation.objects.update(starts_at=F("starts_at") - 3 * DAY, ends_at=F("ends_at") - 2 * DAY)
    with pytest.raises(Refused):
        decide(scene, auditor, execution)


def test_what_a_delegate_approved_is_void_when_the_delegation_ends_before_it_goes_on(
    scene: Scene,
) -> None:
    execution, manager, auditor = given(scene)
    decide(scene, auditor, execution)
    delegations.end(manager, Delegation.objects.get().pk)
    assert scene.advance(execution).waiting_for["code"] == "approval"


def test_who_asked_for_it_lets_nobody_approve_it_for_them(scene: Scene) -> None:
    execution, *_ = given(scene)
    engineer = also(scene.person("devops-engineer"), "operations-manager")
    delegate(engineer, scene.person("developer"))
    with pytest.raises(Refused, match="no delegation leads round"):
        decide(scene, scene.person("developer"), execution)


def test_who_asked_for_it_approves_it_for_nobody(scene: Scene) -> None:
    execution, manager, _ = given(scene)
    delegate(manager, scene.person("devops-engineer"))
    with pytest.raises(Refused, match="You asked for it"):
        decide(scene, scene.person("devops-engineer"), execution)


def test_two_for_one_person_are_one_voice(scene: Scene) -> None:
    ApprovalPolicy.objects.filter(category="deployment").update(
        groups=[{"approvers": ["operations-manager"], "required": 2}]
    )
    execution, manager, auditor = given(scene)
    decide(scene, auditor, execution)
    decide(scene, manager, execution)
    assert scene.gate(execution).state == "open"


def test_what_was_received_is_not_passed_on(scene: Scene) -> None:
    execution, _, auditor = given(scene)
    delegate(auditor, scene.person("developer"))
    with pytest.raises(Refused):
        decide(scene, scene.person("developer"), execution)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"receiver": "operations-manager"}, "this is you"),
        ({"receiver": "nobody"}, "Nobody active"),
        ({"until": -DAY}, "still to come"),
        ({"until": 31 * DAY}, "30 days at most"),
        ({"reason": " "}, "Say why"),
    ],
)
def test_each_thing_that_is_wrong_is_named(
    change: dict[str, object], problem: str, scene: Scene
) -> None:
    scene.person("auditor")
    usual = {"receiver": "auditor", "until": DAY, "reason": "holiday", **change}
    usual["until"] = now() + usual["until"]
    with pytest.raises(Invalid, match=problem):
        delegations.delegate(scene.person("operations-manager"), **usual)


def test_it_is_given_once_and_ended_by_the_two_alone(scene: Scene) -> None:
    _, manager, auditor = given(scene)
    with pytest.raises(Conflict, match="already"):
        delegate(manager, auditor)
    pk = Delegation.objects.get().pk
    with pytest.raises(NotFound):
        delegations.end(scene.person("cto"), pk)
    delegations.end(auditor, pk)
    with pytest.raises(Conflict, match="ended already"):
        delegations.end(manager, pk)


def test_a_named_group_approves_where_a_policy_names_it(scene: Scene) -> None:
    group = ApproverGroup.objects.create(slug="dba", name="Database administrators")
    group.members.add(scene.person("developer"))
    ApprovalPolicy.objects.filter(category="deployment").update(
        groups=[{"approvers": ["dba"], "required": 1}]
    )
    execution = asked(scene)
    with pytest.raises(Refused, match="Database administrators"):
        decide(scene, scene.person("operations-manager"), execution)
    decide(scene, scene.person("developer"), execution)
    assert scene.advance(execution).state == "succeeded"
