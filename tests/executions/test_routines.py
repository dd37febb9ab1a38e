"""Reviews, exercises and tests: when they are due, who says that they were done, what proves it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.db.models.functions import Now

from cvdops.access.seed import seed_roles
from cvdops.accounts.models import User
from cvdops.audit.models import AuditEntry
from cvdops.environments.models import Contact, Environment
from cvdops.executions import routines
from cvdops.executions.models import Execution, RoutineDone
from cvdops.executions.routines import ROUTINES, Standing, seed_routines
from cvdops.lib.errors import Conflict, Invalid, NotFound, Refused
from tests.cast import person
from tests.executions.scene import Scene
from tests.executions.test_engine import block

KEYS = {one.key for one in ROUTINES}
MONTHLY = {"incident-procedures", "lessons", "test-deployment"}


def standing(key: str) -> Standing:
    return next(one for one in routines.standings() if one.routine.key == key)


def older(days: int) -> None:
    RoutineDone.objects.update(at=Now() - timedelta(days=days))


@pytest.fixture
def lead(db: None) -> User:
    """An Operations Lead, in an installation that has just begun."""
    seed_roles()
    seed_routines()
    return person("operations-lead")


def test_a_new_installation_counts_from_its_beginning(lead: User) -> None:
    seed_routines()
    assert routines.overdue() == []
    assert RoutineDone.objects.filter(by=None).count() == len(ROUTINES)


def test_without_a_beginning_everything_is_due(db: None) -> None:
    assert {one.routine.key for one in routines.overdue()} == KEYS


@pytest.mark.parametrize(
    ("days", "due"),
    [
        (30, set()),
        (32, MONTHLY),
        (93, KEYS - {"contacts", "overhaul", "readiness"}),
        (184, KEYS - {"overhaul", "readiness"}),
        (366, KEYS),
    ],
)
def test_each_is_due_as_the_mission_says(days: int, due: set[str], lead: User) -> None:
    older(days)
    assert {one.routine.key for one in routines.overdue()} == due


def test_who_did_it_says_what_came_of_it(lead: User) -> None:
    older(366)
    done = routines.confirm(lead, "runbooks", " All five are right. ")
    assert not standing("runbooks").overdue and standing("overhaul").overdue
    assert routines.history("runbooks")[0] == done
    assert (done.by, done.note) == (lead, "All five are right.")
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.subject_id) == ("routine.confirm", "runbooks")


def test_contacts_are_looked_through_with_it(lead: User) -> None:
    Contact.objects.create(kind="channel", name="Wall", address="#wall")
    routines.confirm(lead, "contacts", "All called.")
    assert {contact.confirmed_by for contact in Contact.objects.all()} == {lead}


@pytest.mark.parametrize("role", ["devops-engineer", "operations-manager", "auditor"])
def test_others_confirm_nothing(role: str, lead: User) -> None:
    with pytest.raises(Refused, match="for administrators and Operations Leads"):
        routines.confirm(person(role), "runbooks", "x")


def test_what_cannot_be_confirmed(lead: User) -> None:
    with pytest.raises(NotFound):
        routines.confirm(lead, "nothing", "x")
    for note in ("", " ", "x" * 2001):
        with pytest.raises(Invalid, match="what came of it"):
            routines.confirm(lead, "runbooks", note)
    with pytest.raises(Conflict, match="an execution that succeeds proves it"):
        routines.confirm(lead, "test-restore", "x")


def test_the_database_keeps_no_confirmation_without_a_note(lead: User) -> None:
    with pytest.raises(IntegrityError):
        RoutineDone.objects.create(routine="runbooks", by=lead)


def test_an_execution_in_staging_proves_the_test(scene: Scene) -> None:
    seed_routines()
    older(366)
    scene.runbook(block("look", "true"))
    execution = scene.run()
    assert standing("test-deployment").overdue  # it was in development
    staging, _ = Environment.objects.get_or_create(slug="staging", name="Staging")
    Execution.objects.update(environment=staging)
    found = standing("test-deployment")
    assert found.proved and found.proved.number == execution.number
    assert not found.overdue
    Execution.objects.update(state="failed")
    assert standing("test-deployment").overdue
