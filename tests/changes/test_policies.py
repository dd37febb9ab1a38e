"""Approval policies and named groups are changed by proposal."""

import pytest

from cvdops.access.models import ApproverGroup, RoleGrant
from cvdops.access.seed import seed_roles
from cvdops.approvals.models import ApprovalPolicy
from cvdops.approvals.seed import seed_policies
from cvdops.changes import approver_groups, policies
from cvdops.changes.kind import Value
from cvdops.changes.models import ChangeState
from cvdops.changes.services import confirm, submit
from cvdops.environments.models import Environment
from cvdops.lib.errors import Conflict, Invalid, NotFound, Refused
from cvdops.notifications.models import Notice
from tests.cast import person

KEY = "production/deployment/always"
CTO: Value = {
    "groups": [{"approvers": ["cto"], "required": 1}],
    "expires": 3600,
    "reason_required": True,
}


@pytest.fixture(autouse=True)
def seeded(db: None) -> None:
    seed_roles()
    Environment.objects.create(slug="production", name="Production", protected=True)
    seed_policies()
    person("cto")


def test_a_second_person_makes_it_so_and_the_version_rises() -> None:
    change = submit(person("operations-lead"), "approval-policy", KEY, CTO, "as agreed")
    assert policies.current(KEY) != CTO
    confirm(person("admin"), change.pk)
    assert policies.current(KEY) == CTO
    assert ApprovalPolicy.objects.get(category="deployment").version == 2


def test_a_new_policy_for_every_category() -> None:
    key = "production/every/changing"
    change = submit(person("operations-lead"), "approval-policy", key, CTO, "as agreed")
    confirm(person("admin"), change.pk)
    assert ApprovalPolicy.objects.get(condition="changing").category == ""


def test_who_would_become_an_approver_neither_proposes_nor_confirms_it() -> None:
    lead = {**CTO, "groups": [{"approvers": ["operations-lead"], "required": 1}]}
    with pytest.raises(Refused):
        submit(person("operations-lead"), "approval-policy", KEY, lead, "so")
    person("devops-engineer")
    change = submit(person("admin"), "approval-policy", KEY, lead, "so")
    with pytest.raises(Refused):
        confirm(person("operations-lead"), change.pk)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"groups": [{"approvers": ["nobody"], "required": 1}]}, "no role or group nobody"),
        ({"groups": [{"approvers": ["cto"], "required": 0}]}, "1 to 20 persons"),
        ({"groups": [{"approvers": ["cto"], "required": 1}] * 2}, "are the same"),
        ({"expires": 10}, "5 minutes to 30 days"),
        ({"groups": [{"approvers": "cto", "required": 1}]}, "A policy has groups"),
        ({"expires": True}, "A policy has groups"),
        ({"more": 1}, "A policy has groups"),
        (
            {"groups": [{"approvers": ["cto"], "required": 3}]},
            "3 of cto: Cto alone answers for that now, so 2 people are missing. Give the role",
        ),
    ],
)
def test_what_is_wrong_is_named(wrong: dict[str, object], problem: str) -> None:
    with pytest.raises(Invalid, match=problem):
        submit(person("admin"), "approval-policy", KEY, {**CTO, **wrong}, "so")


@pytest.mark.parametrize("key", ["nowhere/deployment/always", "production/x/always", "production"])
def test_a_key_of_nothing_is_not_found(key: str) -> None:
    with pytest.raises(NotFound):
        policies.current(key)


def test_the_consequences_say_who_could_approve() -> None:
    assert policies.consequences(KEY, CTO) == ["1 of cto: Cto."]
    RoleGrant.objects.filter(role="cto").delete()
    said = policies.consequences(KEY, CTO)
    assert said[0] == "1 of cto: nobody now."
    assert said[1].startswith("Nobody could ever meet it: 1 of cto: nobody answers")


def test_what_nobody_could_meet_any_more_is_not_confirmed_and_its_proposer_hears_why() -> None:
    change = submit(person("operations-lead"), "approval-policy", KEY, CTO, "as agreed")
    RoleGrant.objects.filter(role="cto").delete()
    with pytest.raises(Conflict, match="Nobody could ever meet it"):
        confirm(person("admin"), change.pk)
    change.refresh_from_db()
    assert change.state == ChangeState.STALE
    assert policies.current(KEY) != CTO
    told = Notice.objects.get(user=person("operations-lead"), read_at=None)
    assert told.text.startswith("Your proposal counts no more: Approvals in production for depl")
    assert "Nobody could ever meet it" in told.text


def test_what_only_the_requester_could_approve_is_refused() -> None:
    lead = {**CTO, "groups": [{"approvers": ["operations-lead"], "required": 1}]}
    person("operations-lead")
    with pytest.raises(Invalid, match="only Operations-Lead could ask for it"):
        submit(person("admin"), "approval-policy", KEY, lead, "so")


def test_a_named_group_gets_its_members_by_a_second_person() -> None:
    after = approver_groups.value("Database administrators", [person("developer").username])
    change = submit(person("operations-lead"), "approver-group", "dba", after, "so")
    assert not ApproverGroup.objects.exists()
    confirm(person("admin"), change.pk)
    assert approver_groups.current("dba") == after


def test_nobody_puts_themselves_into_a_group() -> None:
    after = approver_groups.value("Leads", ["operations-lead"])
    with pytest.raises(Refused):
        submit(person("operations-lead"), "approver-group", "leads", after, "so")


def test_a_group_is_not_called_as_a_role() -> None:
    with pytest.raises(Invalid, match="A role is called so"):
        submit(person("admin"), "approver-group", "cto", approver_groups.value("CTO", []), "so")
