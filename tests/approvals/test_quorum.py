"""Whether a policy can be met at all, as people hold roles."""

from collections.abc import Mapping
from itertools import combinations
from uuid import UUID

import pytest
from django.db.models.functions import Now
from hypothesis import given
from hypothesis import strategies as st

from cvdops.access.models import ApproverGroup, RoleGrant
from cvdops.access.seed import seed_roles
from cvdops.accounts.models import User
from cvdops.approvals.groups import Group, missing
from cvdops.approvals.models import ApprovalPolicy
from cvdops.approvals.quorum import People, people, stuck, unmet
from cvdops.approvals.seed import seed_policies
from cvdops.environments.seed import seed_environments
from tests.cast import person

CTO = Group(("cto",))


@pytest.fixture
def seeded(db: None) -> None:
    seed_roles()
    seed_environments({})


def why(*groups: Group, category: str = "deployment", condition: str = "always") -> str:
    return unmet(groups, people("production", category, condition))


def test_too_few_are_named_with_what_is_missing(seeded: None) -> None:
    person("cto")
    assert why(CTO) == ""
    said = why(Group(("cto",), 3))
    assert "3 of cto: Cto alone answers for that now, so 2 people are missing." in said
    assert said.endswith("or ask for fewer.")
    assert "1 of security-admin: nobody answers for that now." in why(Group(("security-admin",)))


def test_one_person_fills_one_place_alone(seeded: None) -> None:
    both = person("cto")
    RoleGrant.objects.create(user=both, role_id="operations-manager")
    two = (CTO, Group(("operations-manager",)))
    assert "1 person is missing" in why(*two)
    person("operations-manager", "another")
    assert why(*two) == ""


def test_two_accounts_of_one_person_are_one(seeded: None) -> None:
    first, second = person("cto"), person("cto", "second")
    assert why(Group(("cto",), 2)) == ""
    User.objects.filter(pk=second.pk).update(person=first.person)
    assert "1 person is missing" in why(Group(("cto",), 2))


def test_the_only_one_who_could_ask_approves_nothing(seeded: None) -> None:
    lead = person("operations-lead")
    said = why(Group(("operations-lead",)))
    assert "only Operations-Lead could ask for it, and nobody approves what they asked for" in said
    person("devops-engineer")  # who may ask, too
    assert why(Group(("operations-lead",))) == ""
    assert why(Group(("operations-lead",)), condition="emergency") != ""  # that takes a Lead
    RoleGrant.objects.filter(user=lead).update(environment="staging")
    assert "nobody answers for that now" in why(Group(("operations-lead",)))


def test_who_left_or_was_closed_counts_no_more(seeded: None) -> None:
    seed_policies()
    for role in ("operations-manager", "security-admin", "cto", "operations-lead"):
        person(role)
    assert stuck() == []
    User.objects.filter(username="security-admin").update(is_active=False)
    [(policy, said)] = stuck()
    assert (policy.environment_id, policy.category) == ("production", "security")
    assert "1 of security-admin: nobody answers for that now." in said
    User.objects.update(is_active=True)
    RoleGrant.objects.filter(role="operations-manager").update(ends_at=Now())
    assert len(stuck()) == 4  # the emergencies have the CTO


def test_a_named_group_counts_by_its_members(seeded: None) -> None:
    person("devops-engineer")
    dba = Group(("dba",))
    group = ApproverGroup.objects.create(slug="dba", name="Database administrators")
    assert why(dba) != ""
    group.members.add(person("developer"))
    assert why(dba) == ""


def test_a_policy_without_groups_is_met(seeded: None) -> None:
    ApprovalPolicy.objects.create(
        environment_id="production", category="", condition="always", groups=[], expires=600
    )
    assert stuck() == []


persons = st.dictionaries(st.uuids(), st.frozensets(st.sampled_from("abc")), min_size=0, max_size=5)
quorums = st.lists(
    st.builds(
        Group, st.frozensets(st.sampled_from("abc"), min_size=1).map(tuple), st.integers(1, 3)
    ),
    min_size=1,
    max_size=3,
)


@given(quorums, persons, st.data())
def test_it_can_be_met_exactly_if_some_of_them_can_meet_it(
    groups: list[Group], answer_for: Mapping[UUID, frozenset[str]], data: st.DataObject
) -> None:
    known = [*answer_for, UUID(int=0)]
    ask = frozenset(data.draw(st.lists(st.sampled_from(known), min_size=1)))
    called = {one: str(one) for one in known}

    def met(asker: UUID) -> bool:
        others = [names for one, names in answer_for.items() if one != asker]
        return any(
            not any(missing(groups, some))
            for size in range(len(others) + 1)
            for some in combinations(others, size)
        )

    assert (unmet(groups, People(called, answer_for, ask)) == "") is any(map(met, ask))
