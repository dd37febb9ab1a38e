"""Whom to reach: written by who may, in an order."""

import pytest

from cvdops.accounts.models import User
from cvdops.audit.models import AuditEntry
from cvdops.changes import contacts
from cvdops.changes.contacts import Wanted
from cvdops.environments.models import Contact
from cvdops.environments.seed import seed_environments
from cvdops.lib.errors import Conflict, Invalid, NotFound, Refused
from tests.cast import person

CHAIN = ["Primary On-Call", "Secondary On-Call", "Operations Manager", "CTO"]


def chain() -> list[str]:
    found = Contact.objects.filter(kind="escalation")
    assert [c.order for c in found] == list(range(len(found)))
    return [c.name for c in found]


def one(name: str) -> Contact:
    return Contact.objects.get(kind="escalation", name=name)


def test_an_address_of_the_chain_is_changed_and_recorded(lead: User) -> None:
    contact = one("Primary On-Call")
    wanted = Wanted("escalation", contact.name, "night@example.com", contact.note, place=1)
    contacts.write(lead, wanted, contact.pk)
    assert one("Primary On-Call").address == "night@example.com"
    assert chain() == CHAIN
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.action, entry.subject_id) == (lead, "contacts.edit", str(contact.pk))
    assert entry.data["before"]["address"] == "ops-primary@company.com"
    assert entry.data["after"]["address"] == "night@example.com"


def test_somebody_is_added_where_they_belong(lead: User) -> None:
    contacts.write(lead, Wanted("escalation", "Head of Operations", "head@example.com", place=3))
    assert chain() == [*CHAIN[:2], "Head of Operations", *CHAIN[2:]]


def test_somebody_is_moved(lead: User) -> None:
    cto = one("CTO")
    contacts.write(lead, Wanted("escalation", cto.name, cto.address, place=1), cto.pk)
    assert chain() == ["CTO", *CHAIN[:3]]


def test_the_chain_never_ends_in_nobody(lead: User) -> None:
    for name in CHAIN[1:]:
        contacts.remove(lead, one(name).pk)
    with pytest.raises(Conflict, match="last of the escalation chain"):
        contacts.remove(lead, one(CHAIN[0]).pk)
    assert chain() == CHAIN[:1]


def test_who_was_taken_away_does_not_come_back_with_the_next_start(lead: User) -> None:
    contacts.remove(lead, one("CTO").pk)
    seed_environments({})
    assert chain() == CHAIN[:3]


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        (Wanted("escalation", "", "a@example.com"), "Give it a name"),
        (Wanted("escalation", "Night", "#nobody"), "no e-mail address"),
        (Wanted("specialist", "Storage", ""), "Give it an address"),
        (Wanted("channel", "Wall", "http://wall.example.com"), "begins with https"),
        (Wanted("channel", "Wall", "javascript://wall"), "begins with https"),
        (Wanted("escalation", "CTO", "a@example.com"), "one of this name already"),
        (Wanted("channel", "A\u202eB", "#x"), "nothing that cannot be seen"),
        (Wanted("channel", "x" * 81, "#x"), "At most 80"),
        (Wanted("friend", "Dana", "dana@example.com"), "Choose one of escalation"),
    ],
)
def test_what_is_wrong_is_named(wanted: Wanted, problem: str, lead: User) -> None:
    with pytest.raises(Invalid, match=problem):
        contacts.write(lead, wanted)


def test_who_was_overtaken_is_told(lead: User, admin: User) -> None:
    contact = one("CTO")
    seen = Wanted.of(contact)
    contacts.write(admin, Wanted("escalation", "CTO", "new@example.com", place=4), contact.pk)
    with pytest.raises(Conflict, match="is not what it was"):
        contacts.write(lead, seen, contact.pk, seen.mark)


@pytest.mark.parametrize("role", ["devops-engineer", "operations-manager", "cto", "auditor"])
def test_others_change_nothing(role: str, cast: None) -> None:
    pk = one("CTO").pk
    for verb in (
        lambda user: contacts.write(user, Wanted("channel", "Wall", "#wall")),
        lambda user: contacts.remove(user, pk),
    ):
        with pytest.raises(Refused, match="for administrators and Operations Leads"):
            verb(person(role))


def test_what_is_not_there_is_not_found(lead: User) -> None:
    with pytest.raises(NotFound):
        contacts.remove(lead, 0)
