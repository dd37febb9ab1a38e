"""The page of contacts: everybody reads it, editors change it."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client

from cvdops.environments.models import Contact
from cvdops.executions.models import RoutineDone
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


def test_the_page_tells_when_they_were_looked_through(lead: Client) -> None:
    done = RoutineDone.objects.filter(routine="contacts")
    done.update(at=Now() - timedelta(days=200))
    assert "that was due on" in lead.get("/contacts/").content.decode()
    lead.post("/routines/contacts/confirm/", {"note": "All called."})
    page = lead.get("/contacts/").content.decode()
    assert "that was due on" not in page and "Last looked through on" in page
