"""The rights of roles besides the matrix are changed by proposal, and nobody is locked out by it."""

import pytest

from cvdops.access.models import Role
from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.changes import roles
from cvdops.changes.kind import Value
from cvdops.changes.services import confirm, submit
from cvdops.lib.errors import Invalid, NotFound, Refused
from tests.cast import person

READER = roles.value(leads=False, administers=False, reads_audit=True)
NOTHING = roles.value(leads=False, administers=False, reads_audit=False)
LEADING = roles.value(leads=True, administers=False, reads_audit=False)


def test_a_second_person_makes_it_so(admin: User, lead: User) -> None:
    developer = person("developer")
    change = submit(lead, "role", "developer", READER, "They look into incidents.")
    assert not can(developer, Action.READ_AUDIT).allowed
    confirm(admin, change.pk)
    assert can(developer, Action.READ_AUDIT).allowed


def test_who_confirms_reads_who_gains_and_who_loses(cast: None) -> None:
    name = person("developer").name
    assert roles.consequences("developer", READER) == [f"{name} gains: reads the audit log."]
    engineer = person("devops-engineer").name
    said = " ".join(roles.consequences("devops-engineer", LEADING))
    assert f"{engineer} gains on deployment" in said and "(Execute → Lead)" in said
    lead = person("operations-lead").name
    said = " ".join(roles.consequences("operations-lead", NOTHING))
    assert f"{lead} loses on deployment" in said and "reads the audit log" in said


def test_the_difference_is_in_the_values_alone() -> None:
    assert roles.sentences("developer", NOTHING, READER) == [
        "developer reads the audit log: no → yes"
    ]


def test_nobody_changes_the_rights_of_a_role_that_they_hold(lead: User, admin: User) -> None:
    with pytest.raises(Refused):
        submit(lead, "role", "operations-lead", NOTHING, "so")
    change = submit(lead, "role", "developer", READER, "so")
    with pytest.raises(Refused):
        confirm(person("developer"), change.pk)


@pytest.mark.parametrize(
    ("by", "role", "after", "problem"),
    [
        ("admin", "operations-lead", READER, "would lead any more"),
        ("operations-lead", "admin", READER, "administer any more"),
    ],
)
def test_the_last_lead_and_the_last_administrator_stay(
    cast: None, by: str, role: str, after: Value, problem: str
) -> None:
    with pytest.raises(Invalid, match=problem):
        submit(person(by), "role", role, after, "so")


def test_where_another_role_leads_every_category_the_first_may_stop(admin: User) -> None:
    engineer = person("operations-lead", "second")  # holds both, so that every category is led
    assert engineer
    Role.objects.filter(pk="devops-engineer").update(leads=True)
    person("devops-engineer")
    with pytest.raises(Invalid, match="Nobody would lead security"):
        submit(admin, "role", "operations-lead", READER, "so")


@pytest.mark.parametrize(
    "wrong",
    [None, {}, {"leads": True}, {**(NOTHING or {}), "x": True}, {**(NOTHING or {}), "leads": 1}],
)
def test_what_is_no_set_of_rights_is_refused(lead: User, wrong: Value) -> None:
    with pytest.raises(Invalid, match="each true or false"):
        submit(lead, "role", "developer", wrong, "so")


def test_a_role_that_is_not_there_has_none(lead: User) -> None:
    with pytest.raises(NotFound):
        submit(lead, "role", "nobody", NOTHING, "so")
