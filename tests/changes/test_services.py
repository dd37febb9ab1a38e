"""Proposing, confirming, refusing, withdrawing: who may, what is overtaken, what is recorded."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from cvdops.access.levels import Level
from cvdops.access.models import MatrixCell, RoleGrant
from cvdops.accounts.models import User
from cvdops.audit.models import AuditEntry
from cvdops.changes import matrix
from cvdops.changes.models import OPEN_FOR, Change, ChangeState
from cvdops.changes.services import (
    confirm,
    expire,
    mark,
    may_decide,
    refuse,
    submit,
    waiting_for,
    withdraw,
)
from cvdops.lib.errors import Conflict, Invalid, NotFound, Refused
from cvdops.notifications.models import Notice
from tests.cast import person

CELL = matrix.key("developer", "security")


def propose(user: User, level: Level = Level.ASSIST, key: str = CELL) -> Change:
    return submit(user, "matrix", key, matrix.value(level), "They help with audits now.")


def level() -> int:
    return MatrixCell.objects.get(role="developer", category="security").level


def test_a_cell_waits_for_a_second_person(admin: User) -> None:
    change = propose(admin)
    assert (change.state, change.before) == (ChangeState.PROPOSED, {"level": "review"})
    assert level() == Level.REVIEW


def test_a_proposal_that_nobody_decides_expires_and_its_proposer_hears_it(
    admin: User, lead: User
) -> None:
    change = propose(admin)
    Change.objects.update(proposed_at=Now() - OPEN_FOR)
    assert waiting_for(lead) == []
    with pytest.raises(Conflict, match="has expired"):
        confirm(lead, change.pk)
    expire()
    expire()
    change.refresh_from_db()
    assert (change.state, change.decided_by, level()) == ("expired", None, Level.REVIEW)
    assert AuditEntry.objects.get(data__verb="expired").actor is None
    (notice,) = Notice.objects.filter(user=admin)
    assert "has expired: Developer on security" in notice.text
    assert not Notice.objects.filter(user=lead, read_at=None).exists()


def test_one_that_is_too_old_stands_in_the_way_of_none(admin: User) -> None:
    propose(admin)
    Change.objects.update(proposed_at=Now() - OPEN_FOR)
    propose(admin)
    assert sorted(Change.objects.values_list("state", flat=True)) == ["expired", "proposed"]


def test_a_younger_one_stays(admin: User) -> None:
    propose(admin)
    Change.objects.update(proposed_at=Now() - OPEN_FOR + timedelta(minutes=1))
    expire()
    assert Change.objects.get().is_open


def test_the_second_person_makes_it_so(admin: User, lead: User) -> None:
    change = confirm(lead, propose(admin).pk, "Agreed.")
    assert (change.state, change.decided_by, level()) == ("applied", lead, Level.ASSIST)


def test_every_verb_is_recorded_with_before_and_after(admin: User, lead: User) -> None:
    confirm(lead, propose(admin).pk)
    newer, older = AuditEntry.objects.filter(subject="change")
    assert (older.actor, older.action, older.data["verb"]) == (admin, "permissions.edit", "propose")
    assert (newer.actor, newer.data["verb"]) == (lead, "applied")
    assert newer.data["before"] == {"level": "review"}
    assert newer.data["after"] == {"level": "assist"}


def test_nobody_confirms_what_they_proposed(admin: User) -> None:
    with pytest.raises(Refused) as refused:
        confirm(admin, propose(admin).pk)
    assert [r.code for r in refused.value.reasons] == ["same_person"]


def test_nor_with_a_second_account(admin: User) -> None:
    twin = person("admin", "twin")
    User.objects.filter(pk=twin.pk).update(person=admin.person)
    twin.refresh_from_db()
    change = propose(admin)
    assert [r.code for r in may_decide(twin, change).reasons] == ["same_person"]


def test_the_database_refuses_one_person_for_both(admin: User) -> None:
    change = propose(admin)
    with pytest.raises(IntegrityError), transaction.atomic():
        Change.objects.filter(pk=change.pk).update(
            state="applied", decided_by=admin, decider=admin.person, decided_at=Now()
        )


def test_others_may_neither_propose_nor_confirm(admin: User) -> None:
    change = propose(admin)
    for role in ("developer", "operations-manager", "cto", "auditor", "security-admin"):
        with pytest.raises(Refused):
            confirm(person(role), change.pk)
        with pytest.raises(Refused):
            propose(person(role))


def test_nobody_proposes_or_confirms_a_change_of_their_own_row(admin: User, lead: User) -> None:
    own = matrix.key("operations-lead", "security")
    with pytest.raises(Refused) as refused:
        propose(lead, Level.LEAD, own)
    assert [r.code for r in refused.value.reasons] == ["own"]
    change = propose(admin, Level.LEAD, own)
    assert [r.code for r in may_decide(lead, change).reasons] == ["own"]


def test_a_role_that_begins_later_is_ones_own_row_too(admin: User, lead: User) -> None:
    RoleGrant.objects.create(user=admin, role_id="developer", starts_at="2090-01-01T00:00Z")
    with pytest.raises(Refused):
        propose(admin)


def test_a_refusal_says_why_and_changes_nothing(admin: User, lead: User) -> None:
    change = propose(admin)
    with pytest.raises(Invalid):
        refuse(lead, change.pk, " ")
    assert refuse(lead, change.pk, "Not yet.").state == ChangeState.REFUSED
    assert level() == Level.REVIEW


def test_only_the_proposer_withdraws(admin: User, lead: User) -> None:
    change = propose(admin)
    with pytest.raises(Refused):
        withdraw(lead, change.pk)
    assert withdraw(admin, change.pk).state == ChangeState.WITHDRAWN


def test_what_is_decided_stays_so_and_says_by_whom(admin: User, lead: User) -> None:
    change = withdraw(admin, propose(admin).pk)
    with pytest.raises(Conflict, match=r"withdrawn already, by Admin at \d{4}-"):
        confirm(lead, change.pk)


def test_a_second_proposal_for_the_same_cell_waits_for_the_first(admin: User) -> None:
    propose(admin)
    with pytest.raises(Conflict, match="Admin has proposed a change of Developer on security"):
        propose(person("admin", "other"), Level.EXECUTE)


def test_a_form_made_from_another_value_is_told_who_changed_it(admin: User, lead: User) -> None:
    seen = mark(matrix.current(CELL))
    confirm(lead, propose(admin).pk)
    with pytest.raises(Conflict, match=r"Admin has changed Developer on security since.*Assist"):
        submit(lead, "matrix", CELL, matrix.value(Level.NONE), "so", seen=seen)


def test_a_proposal_that_is_overtaken_is_closed_as_such(admin: User, lead: User) -> None:
    change = propose(admin)
    MatrixCell.objects.filter(role="developer", category="security").update(level=Level.NONE)
    with pytest.raises(Conflict, match="is not what it was"):
        confirm(lead, change.pk)
    change.refresh_from_db()
    assert (change.state, level()) == (ChangeState.STALE, Level.NONE)


def test_a_proposal_of_somebody_who_may_no_longer_is_not_confirmed(admin: User, lead: User) -> None:
    change = propose(admin)
    RoleGrant.objects.filter(user=admin).update(ends_at=Now())
    with pytest.raises(Conflict, match="Admin may not propose this any more"):
        confirm(lead, change.pk)
    assert level() == Level.REVIEW


@pytest.mark.parametrize(
    "after",
    [
        None,
        {},
        {"level": "emperor"},
        {"level": 40},
        {"level": ["lead"]},
        {"level": "assist", "state": "applied"},
    ],
)
def test_a_value_with_anything_else_in_it_is_refused(
    admin: User, after: dict[str, object] | None
) -> None:
    with pytest.raises(Invalid):
        submit(admin, "matrix", CELL, after, "so")


def test_a_reason_is_needed_and_a_difference(admin: User) -> None:
    with pytest.raises(Invalid):
        submit(admin, "matrix", CELL, matrix.value(Level.ASSIST), "  ")
    with pytest.raises(Conflict, match="so already"):
        propose(admin, Level.REVIEW)


@pytest.mark.parametrize("key", ["nobody/security", "developer/gardening", "developer", ""])
def test_what_is_no_cell_is_not_found(admin: User, key: str) -> None:
    with pytest.raises(NotFound):
        propose(admin, key=key)


def test_an_unknown_kind_is_not_found(admin: User) -> None:
    with pytest.raises(NotFound):
        submit(admin, "password", "root", {}, "so")


def test_the_last_who_leads_a_category_cannot_be_edited_away(admin: User, lead: User) -> None:
    with pytest.raises(Invalid, match="Nobody would lead deployment any more"):
        propose(admin, Level.REVIEW, matrix.key("operations-lead", "deployment"))


def test_but_one_of_two_can(admin: User, lead: User) -> None:
    person("devops-engineer")
    MatrixCell.objects.filter(role="devops-engineer", category="deployment").update(
        level=Level.LEAD
    )
    change = propose(admin, Level.REVIEW, matrix.key("operations-lead", "deployment"))
    assert change.state == ChangeState.PROPOSED
