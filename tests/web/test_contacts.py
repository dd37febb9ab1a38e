"""The page of contacts: everybody reads it, editors change it."""

import pytest
from django.db.models.functions import Now
from django.test import Client

from cvdops.changes.contacts import DUE
from cvdops.environments.models import Contact
from tests.web.world import World

TYPED = {"name": "Storage issues", "address": "storage@company.com", "place": "1", "note": "Tapes"}


@pytest.fixture
def lead(world: World) -> Client:
    return world.client("operations-lead")


def test_an_editor_writes_somebody_down(lead: Client) -> None:
    assert "/contacts/add/specialist/" in lead.get("/contacts/").content.decode()
    assert lead.post("/contacts/add/specialist/", TYPED).status_code == 302
    page = lead.get("/contacts/").content.decode()
    assert "mailto:storage@company.com" in page and "Tapes" in page


def test_what_is_wrong_is_said_and_what_was_typed_is_kept(lead: Client) -> None:
    answer = lead.post("/contacts/add/specialist/", {**TYPED, "address": "storage"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "This is no e-mail address" in page and 'value="Tapes"' in page
    assert lead.post("/contacts/add/specialist/", {**TYPED, "place": "x"}).status_code == 422


def test_a_form_that_somebody_overtook_is_refused(lead: Client) -> None:
    address = f"/contacts/{Contact.objects.get(name='CTO').pk}/"
    assert lead.post(address, {**TYPED, "seen": "another"}).status_code == 409


def test_readers_find_no_form(world: World) -> None:
    page = world.client("developer").get("/contacts/").content.decode()
    assert "/contacts/add/" not in page
    assert "Changing them is for administrators and Operations Leads" in page


def test_editors_are_told_at_home_when_they_are_due(world: World, lead: Client) -> None:
    assert "Look through the contacts" not in lead.get("/").content.decode()
    Contact.objects.update(confirmed_at=Now() - DUE)
    assert 'id="contacts-due"' in lead.get("/").content.decode()
    assert 'id="contacts-due"' not in world.client("developer").get("/").content.decode()
    assert "that was due on" in lead.get("/contacts/").content.decode()
    lead.post("/contacts/confirm/")
    assert 'id="contacts-due"' not in lead.get("/").content.decode()
