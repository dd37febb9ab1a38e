"""Roles given, changed and taken away: who is needed for it, and who cannot be locked out."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cvdops.access.certification import Stage
from cvdops.access.models import RoleGrant
from cvdops.accounts.models import User
from cvdops.changes import grants
from cvdops.changes.kind import Value
from cvdops.changes.models import Change, ChangeState
from cvdops.changes.services import confirm, may_decide, submit
from cvdops.lib.errors import Invalid, NotFound, Refused
from tests.cast import certify, person

EVERYWHERE = grants.key("developer", "system-admin")
STAGING = grants.key("developer", "system-admin", "staging")
ALWAYS = grants.value()
HOUR = timedelta(hours=1)


def change(user: User, key: str, after: Value) -> Change:
    return submit(user, "grant", key, after, "On call this week.")


def held(role: str = "system-admin") -> list[RoleGrant]:
    return list(RoleGrant.objects.in_force().filter(user__username="developer", role=role))


def test_a_role_that_counts_in_production_waits_for_a_second_person(
    admin: User, lead: User
) -> None:
    for key in (EVERYWHERE, grants.key("developer", "system-admin", "production")):
        proposed = change(admin, key, ALWAYS)
        assert (proposed.state, held()) == (ChangeState.PROPOSED, [])
        confirm(lead, proposed.pk)
        assert len(held()) == 1
        change(admin, key, None)


def test_one_that_does_not_is_given_at_once(admin: User) -> None:
    assert change(admin, STAGING, ALWAYS).state == ChangeState.APPLIED
    assert [grant.environment_id for grant in held()] == ["staging"]


def test_taking_a_role_away_is_done_at_once(admin: User) -> None:
    assert change(admin, grants.key("developer", "developer"), None).state == ChangeState.APPLIED
    assert held("developer") == []
    assert RoleGrant.objects.filter(user__username="developer").count() == 1  # it is kept


def test_less_time_is_given_at_once_and_more_is_not(admin: User) -> None:
    key, end = grants.key("developer", "developer"), timezone.now() + HOUR
    assert change(admin, key, grants.value(ends=end)).state == ChangeState.APPLIED
    assert change(admin, key, grants.value(ends=end + HOUR)).state == ChangeState.PROPOSED


def test_a_role_for_a_time_begins_and_ends_by_itself(admin: User) -> None:
    begins = timezone.now() + HOUR
    change(admin, STAGING, grants.value(begins, begins + HOUR))
    grant = RoleGrant.objects.get(role="system-admin")
    at = [begins - HOUR / 2, begins + HOUR / 2, begins + HOUR * 2]
    in_force = [RoleGrant.objects.in_force(moment).filter(pk=grant.pk).exists() for moment in at]
    assert in_force == [False, True, False]


def test_what_has_not_begun_is_taken_back_without_a_trace_in_force(admin: User) -> None:
    change(admin, STAGING, grants.value(timezone.now() + HOUR))
    change(admin, STAGING, None)
    assert not RoleGrant.objects.filter(role="system-admin").exists()
    assert Change.objects.filter(key=STAGING).count() == 2


def test_nobody_gives_or_takes_their_own_roles(admin: User, lead: User) -> None:
    for after in (ALWAYS, None):
        with pytest.raises(Refused):
            change(admin, grants.key("admin", "system-admin", "staging"), after)
    proposed = change(admin, grants.key("operations-lead", "admin"), ALWAYS)
    assert [r.code for r in may_decide(lead, proposed).reasons] == ["own"]


def test_nor_those_of_their_other_account(admin: User) -> None:
    twin = person("developer", "twin")
    User.objects.filter(pk=twin.pk).update(person=admin.person)
    with pytest.raises(Refused):
        change(admin, grants.key("twin", "system-admin", "staging"), ALWAYS)


@pytest.mark.parametrize("after", [None, "soon"])
def test_the_last_lead_cannot_be_taken_away(admin: User, lead: User, after: str | None) -> None:
    ends = grants.value(ends=timezone.now() + HOUR) if after else None
    with pytest.raises(Invalid, match="This is the last Operations Lead"):
        change(admin, grants.key("operations-lead", "operations-lead"), ends)


def test_the_last_administrator_cannot_be_taken_away(admin: User, lead: User) -> None:
    with pytest.raises(Invalid, match="This is the last administrator"):
        change(lead, grants.key("admin", "admin"), None)


def test_one_of_two_can(admin: User, lead: User) -> None:
    person("operations-lead", "other")
    key = grants.key("operations-lead", "operations-lead")
    assert change(admin, key, None).state == ChangeState.APPLIED


def test_a_second_one_for_a_time_or_elsewhere_or_deactivated_does_not_count(
    admin: User, lead: User
) -> None:
    person("operations-lead", "elsewhere", environment="staging")
    gone = person("operations-lead", "gone")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    soon = person("operations-lead", "soon")
    RoleGrant.objects.filter(user=soon).update(ends_at=timezone.now() + HOUR)
    with pytest.raises(Invalid, match="This is the last Operations Lead"):
        change(admin, grants.key("operations-lead", "operations-lead"), None)


@pytest.mark.parametrize(
    "after",
    [
        {},
        {"from": None},
        {"from": None, "until": "tomorrow"},
        {"from": None, "until": "2090-01-01T00:00:00"},
        {"from": None, "until": 1},
        {"from": None, "until": "2090-13-41T00:00:00Z"},
        {"from": None, "until": None, "role": "admin"},
        {"from": None, "until": "2001-01-01T00:00:00Z"},
        {"from": "2001-01-01T00:00:00Z", "until": None},
        {"from": "2091-01-01T00:00:00Z", "until": "2090-01-01T00:00:00Z"},
    ],
)
def test_times_that_make_no_sense_are_refused(admin: User, after: Value) -> None:
    with pytest.raises(Invalid):
        change(admin, STAGING, after)


def test_a_deactivated_account_gets_no_role(admin: User) -> None:
    User.objects.filter(username="developer").update(is_active=False)
    with pytest.raises(Invalid, match="deactivated"):
        change(admin, STAGING, ALWAYS)


@pytest.mark.parametrize(
    "key", ["nobody/developer", "developer/emperor", "developer/developer/moon", "", "developer"]
)
def test_what_does_not_exist_is_not_found(admin: User, key: str) -> None:
    with pytest.raises(NotFound):
        change(admin, key, ALWAYS)


def test_what_somebody_would_gain_is_said(admin: User) -> None:
    said = " ".join(grants.consequences(STAGING, ALWAYS))
    assert "Developer gains on deployment in staging: confirms manual steps" in said
    assert (
        "Developer gains: counts as System Admin where an approval asks for one in staging." in said
    )
    assert grants.consequences(grants.key("developer", "developer"), ALWAYS) == []


def test_the_preview_leaves_out_what_another_role_gives_already(lead: User) -> None:
    said = grants.consequences(grants.key("operations-lead", "admin"), ALWAYS)
    rights = {sentence.partition(": ")[2] for sentence in said}
    assert "administers accounts and settings." in rights
    assert not {"changes environments and permissions.", "reads the audit log."} & rights


def test_the_preview_of_an_environment_leaves_out_what_they_hold_everywhere(lead: User) -> None:
    assert (
        grants.consequences(grants.key("operations-lead", "operations-lead", "staging"), ALWAYS)
        == []
    )


def test_the_preview_counts_the_training(admin: User) -> None:
    certify(person("developer"), Stage.SUPERVISED)
    for environment, marked in (("production", True), ("development", False)):
        key = grants.key("developer", "devops-engineer", environment)
        said = " ".join(grants.consequences(key, ALWAYS))
        assert "starts, pauses" in said
        assert ("once certified: starts, pauses" in said) is marked
    said = " ".join(grants.consequences(grants.key("developer", "devops-engineer"), ALWAYS))
    assert "as far as their training allows: starts, pauses" in said
