"""How long a session lasts, and what ends it."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client

from cvdops.accounts.models import Session, User
from cvdops.accounts.sessions import IDLE, LONGEST, SessionStore, renew
from tests.cast import person
from tests.web.world import World

HOST = "http://testserver"

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(person("outsider"))
    return client


def left() -> timedelta:
    """How long the session lasts from now on."""
    (value,) = Session.objects.values_list(F("expire_date") - Now(), flat=True)
    return value


def passed(time: timedelta) -> None:
    times = ("began_at", "seen_at", "expire_date")
    Session.objects.update(**{name: F(name) - time for name in times})


def test_a_session_belongs_to_somebody(browser: Client) -> None:
    assert Session.objects.get().user == person("outsider")


def test_half_an_hour_of_nothing_ends_it(browser: Client) -> None:
    passed(IDLE)
    assert browser.get("/").status_code == 302


def test_opening_a_page_prolongs_it(browser: Client) -> None:
    passed(IDLE / 2)
    assert browser.get("/").status_code == 200
    assert left() > IDLE - timedelta(minutes=1)


@pytest.mark.parametrize("headers", [{"hx-request": "true"}, {"sec-fetch-dest": "empty"}])
def test_what_a_page_asks_for_by_itself_does_not(browser: Client, headers: dict[str, str]) -> None:
    passed(IDLE / 2)
    assert browser.get("/", headers=headers).status_code == 200
    assert left() < IDLE / 2


def test_filling_in_a_form_that_shows_its_plan_prolongs_it(world: World) -> None:
    client = world.client("devops-engineer")
    address = "/runbooks/deployment/run/"
    assert "X-Deliberate" in client.get(address).content.decode()
    passed(IDLE / 2)
    client.get(address, headers={"hx-request": "true", "x-deliberate": "yes"})
    assert left() > IDLE - timedelta(minutes=1)


def test_nobody_works_for_ever(browser: Client) -> None:
    passed(LONGEST - timedelta(minutes=5))
    Session.objects.update(expire_date=Now() + IDLE)
    assert browser.get("/").status_code == 200
    assert left() <= timedelta(minutes=5)


def test_a_session_that_was_ended_does_not_come_back(browser: Client) -> None:
    passed(IDLE / 2)
    store = SessionStore(browser.cookies["sessionid"].value)
    assert store["_auth_user_id"]
    Session.objects.all().delete()
    with pytest.raises(UpdateError):
        store.save()
    with pytest.raises(SessionInterrupted):
        store.cycle_key()
    assert not Session.objects.exists()


def test_a_key_that_the_browser_brought_is_not_kept() -> None:
    User.objects.create_user("dana", "Dana", "a-long-password")
    client = Client()
    client.cookies["sessionid"] = "f" * 32
    client.post("/login/", {"username": "dana", "password": "a-long-password"})
    assert client.cookies["sessionid"].value != "f" * 32
    assert client.get("/").status_code == 200


def test_a_cookie_of_before_the_logout_is_worth_nothing(browser: Client) -> None:
    cookie = browser.cookies["sessionid"].value
    browser.post("/logout/")
    browser.cookies["sessionid"] = cookie
    assert browser.get("/").status_code == 302


def test_the_cookie_is_out_of_reach_of_scripts_and_ends_with_the_browser() -> None:
    User.objects.create_user("dana", "Dana", "a-long-password")
    client = Client()
    client.post("/login/", {"username": "dana", "password": "a-long-password"})
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", "")


def test_the_sessions_of_yesterday_are_forgotten_at_a_login() -> None:
    Session.objects.create(pk="old", expire_date=Now() - timedelta(days=2))
    User.objects.create_user("dana", "Dana", "a-long-password")
    Client().post("/login/", {"username": "dana", "password": "a-long-password"})
    assert not Session.objects.filter(pk="old").exists()


def test_when_rights_change_the_session_goes_on_under_another_key(browser: Client) -> None:
    before = browser.cookies["sessionid"].value
    renew(person("outsider"))
    assert browser.get("/", headers={"hx-request": "true"}).status_code == 200
    assert browser.cookies["sessionid"].value == before
    assert browser.get("/").status_code == 200
    assert browser.cookies["sessionid"].value != before
    assert browser.get("/").status_code == 200
    thief = Client()
    thief.cookies["sessionid"] = before
    assert thief.get("/").status_code == 302


def test_a_form_that_is_sent_after_the_end_loses_no_word(client: Client) -> None:
    typed = {"text": "The log <is> quiet."}
    page = client.post(
        "/executions/x/notes/", typed, headers={"referer": f"{HOST}/executions/x/?a=1"}
    )
    text = page.content.decode()
    assert page.status_code == 401
    assert "The log &lt;is&gt; quiet." in text
    assert 'href="/login/?next=%2Fexecutions%2Fx%2F%3Fa%3D1"' in text
    part = client.post("/executions/x/notes/", typed, headers={"hx-request": "true"})
    assert (part.status_code, part["HX-Retarget"]) == (401, "#notices")
    assert "The log &lt;is&gt; quiet." in part.content.decode()


def test_one_without_a_word_leads_to_the_login_and_back_to_its_page(client: Client) -> None:
    answer = client.post("/executions/x/pause/", headers={"referer": f"{HOST}/executions/x/"})
    assert answer["Location"] == "/login/?next=%2Fexecutions%2Fx%2F"
    abroad = client.post("/executions/x/pause/", headers={"referer": "https://elsewhere.example/x"})
    assert abroad["Location"] == "/login/"
