"""What is sharp asks for the password, and loses nothing of what was typed."""

import re

import pytest
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from django.views.decorators.debug import sensitive_post_parameters

from cvdops.access.marks import requires
from cvdops.access.policy import Action
from cvdops.accounts.models import Session, User
from cvdops.accounts.sessions import FRESH
from cvdops.audit.models import AuditEntry
from cvdops.web.fresh import fresh

PASSWORD = "a-long-password"

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.web.test_fresh")]


@requires(Action.USE_PORTAL, "GET", "POST")
@fresh
def sharp(request: HttpRequest) -> HttpResponse:
    sent = {name: request.POST.getlist(name) for name in sorted(request.POST)}
    return HttpResponse(f"done {sent}", content_type="text/plain")


@requires(Action.USE_PORTAL, "GET", "POST")
@sensitive_post_parameters("value")
@fresh
def secret(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"done {request.POST['value']} {sorted(request.POST)}")


urlpatterns = [
    path("sharp/", sharp),
    path("secret/", secret),
    path("other/", secret),
    path("", include("cvdops.web.urls")),
]


@pytest.fixture
def dana() -> User:
    return User.objects.create_user("dana", "Dana", PASSWORD)


@pytest.fixture
def browser(dana: User) -> Client:
    """Logged in, the password entered a little too long ago."""
    client = Client()
    client.post("/login/", {"username": "dana", "password": PASSWORD})
    Session.objects.update(proved_at=Now() - FRESH)
    return client


def test_within_ten_minutes_of_the_login_nothing_is_asked(browser: Client) -> None:
    Session.objects.update(proved_at=Now())
    assert browser.post("/sharp/", {"a": "1"}).content == b"done {'a': ['1']}"


def test_later_the_password_is_asked_and_what_was_typed_goes_on(browser: Client) -> None:
    page = browser.post("/sharp/?at=1", {"a": ["1", "<2>"], "b": "x\ny"})
    assert page.status_code == 403
    text = page.content.decode()
    assert 'action="/sharp/?at=1"' in text
    kept = re.findall(r'type="hidden" name="([ab])" value="([^"]*)"', text)
    assert kept == [("a", "1"), ("a", "&lt;2&gt;"), ("b", "x\ny")]
    typed = {"a": ["1", "<2>"], "b": ["x\ny"]}
    done = browser.post("/sharp/", {**typed, "your_password": PASSWORD})
    assert done.content.decode() == f"done {typed}"


def test_once_entered_it_is_good_for_a_while(browser: Client) -> None:
    browser.post("/sharp/", {"your_password": PASSWORD})
    assert browser.post("/sharp/").content == b"done {}"


def test_the_view_never_sees_the_password(browser: Client) -> None:
    Session.objects.update(proved_at=Now())
    assert browser.post("/sharp/", {"your_password": PASSWORD}).content == b"done {}"


def test_a_wrong_password_does_nothing_and_keeps_what_was_typed(browser: Client) -> None:
    page = browser.post("/sharp/", {"a": "1", "your_password": "wrong"})
    assert page.status_code == 422
    assert 'name="a" value="1"' in page.content.decode()
    assert b"wrong" not in page.content
    assert browser.post("/sharp/").status_code == 403


def test_each_try_is_recorded(browser: Client, dana: User) -> None:
    browser.post("/sharp/", {"your_password": "wrong"})
    browser.post("/sharp/", {"your_password": PASSWORD})
    entries = AuditEntry.objects.filter(action="session.prove", actor=dana).order_by("pk")
    assert [entry.allowed for entry in entries] == [False, True]


def test_another_session_of_the_same_person_is_not_fresh(browser: Client, dana: User) -> None:
    browser.post("/sharp/", {"your_password": PASSWORD})
    other = Client()
    other.force_login(dana)
    assert other.post("/sharp/").status_code == 403


def test_looking_asks_for_nothing(browser: Client) -> None:
    assert browser.get("/sharp/").status_code == 200


def test_a_part_of_a_page_is_replaced_by_the_question(browser: Client) -> None:
    page = browser.post("/sharp/", headers={"hx-request": "true"})
    assert (page["HX-Retarget"], page["HX-Reselect"]) == ("#content", "#content")


def asked(browser: Client, **typed: str) -> str:
    """The number of what is kept, from the page that asks for the password."""
    page = browser.post("/secret/", {"name": "KEY", "value": "topsecret\nof two", **typed})
    text = page.content.decode()
    assert "topsecret" not in text
    assert 'name="name" value="KEY"' in text
    found = re.search(r'name="kept" value="([^"]+)"', text)
    assert found
    return found[1]


def test_a_secret_that_was_typed_is_in_no_page_and_goes_on_all_the_same(browser: Client) -> None:
    kept = asked(browser)
    kept = asked(browser, your_password="wrong", kept=kept)
    assert "topsecret" not in str(browser.session["kept"])
    done = browser.post("/secret/", {"name": "KEY", "kept": kept, "your_password": PASSWORD})
    assert done.content == b"done topsecret\nof two ['name', 'value']"
    assert "kept" not in browser.session


def test_what_is_kept_goes_on_once_and_to_its_own_address_alone(browser: Client) -> None:
    kept = asked(browser)
    elsewhere = browser.post("/other/", {"kept": kept, "your_password": PASSWORD})
    assert (elsewhere.status_code, "kept" in browser.session) == (409, False)
    again = browser.post("/secret/", {"kept": kept, "your_password": PASSWORD})
    assert again.status_code == 409
    assert b"Nothing was changed" in again.content
