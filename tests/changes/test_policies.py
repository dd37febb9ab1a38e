"""Approval policies and named groups are changed by proposal."""

import pytest

from cvdops.access.models import ApproverGroup
from cvdops.access.seed import seed_roles
from cvdops.approvals.models import ApprovalPolicy
from cvdops.approvals.seed import seed_policies
from cvdops.changes import approver_groups, policies
from cvdops.changes.kind import Value
from cvdops.changes.services import confirm, submit
from cvdops.environments.models import Environment
from cvdops.lib.errors import Invalid, NotFound, Refused
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
    assert policies.consequences(KEY, CTO) == ["1 of cto: nobody now: nothing could be approved."]
    person("cto")
    assert policies.consequences(KEY, CTO) == ["1 of cto: Cto."]


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
