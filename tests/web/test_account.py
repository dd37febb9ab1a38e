"""One's own account: where one is logged in, the password, tokens."""

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client

from cvdops.accounts.models import Session, Token, User
from cvdops.accounts.sessions import FRESH
from cvdops.audit.models import AuditEntry

PASSWORD, NEW = "a-long-password", "quite another one"

pytestmark = pytest.mark.django_db


@pytest.fixture
def dana() -> User:
    return User.objects.create_user("dana", "Dana", PASSWORD)


def logged_in(user: User, agent: str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0") -> Client:
    """As by a login a moment ago; hashing a password would take its time."""
    client = Client(headers={"user-agent": agent})
    client.force_login(user)
    key = client.cookies["sessionid"].value
    Session.objects.filter(pk=key).update(proved_at=Now(), browser=agent)
    return client


def test_the_page_shows_where_one_is_logged_in(dana: User) -> None:
    logged_in(dana, "Mozilla/5.0 (iPhone) Safari/605.1")
    client = logged_in(dana)
    text = client.get("/account/").content.decode()
    assert "Safari on iPhone" in text and "Firefox on Linux" in text
    assert client.cookies["sessionid"].value not in text


def test_another_browser_is_logged_out(dana: User) -> None:
    other, client = logged_in(dana), logged_in(dana)
    there = Session.objects.get(pk=other.cookies["sessionid"].value)
    assert client.post(f"/account/sessions/{there.public_id}/end/").status_code == 302
    assert other.get("/").status_code == 302
    assert client.get("/").status_code == 200
    assert AuditEntry.objects.get(action="session.end").data == {"session": there.public_id}


def test_nobody_ends_the_session_of_somebody_else(dana: User) -> None:
    other = logged_in(User.objects.create(username="mallory", name="M"))
    theirs = Session.objects.get(user=User.objects.get(username="mallory"))
    assert logged_in(dana).post(f"/account/sessions/{theirs.public_id}/end/").status_code == 404
    assert other.get("/").status_code == 200


def test_log_out_everywhere_else(dana: User) -> None:
    others, client = [logged_in(dana), logged_in(dana)], logged_in(dana)
    client.post("/account/sessions/end/")
    assert [other.get("/").status_code for other in others] == [302, 302]
    assert client.get("/").status_code == 200


def change(client: Client, password: str = NEW, again: str = NEW, **more: str) -> int:
    sent = {"password": password, "again": again, **more}
    return client.post("/account/password/", sent).status_code


def test_a_new_password_logs_out_the_other_browsers(dana: User) -> None:
    other, client = logged_in(dana), logged_in(dana)
    before = client.cookies["sessionid"].value
    assert change(client) == 302
    assert other.get("/").status_code == 302
    assert client.get("/").status_code == 200
    assert client.cookies["sessionid"].value != before
    dana.refresh_from_db()
    assert dana.check_password(NEW)


def test_it_takes_the_old_password_after_a_while(dana: User) -> None:
    client = logged_in(dana)
    Session.objects.update(proved_at=F("proved_at") - FRESH)
    assert change(client) == 403
    assert change(client, your_password="wrong") == 422
    assert change(client, your_password=PASSWORD) == 302


@pytest.mark.parametrize(
    ("password", "again"),
    [
        ("short", "short"),
        ("dana-kowalczyk", "dana-kowalczyk"),
        ("123456789012", "123456789012"),
        ("passwordpassword", NEW),
    ],
)
def test_passwords_that_others_would_guess_are_refused(
    dana: User, password: str, again: str
) -> None:
    User.objects.update(name="Dana Kowalczyk")
    assert change(logged_in(dana), password, again) == 422
    dana.refresh_from_db()
    assert dana.check_password(PASSWORD)


def test_a_password_that_was_given_is_changed_before_anything_else(dana: User) -> None:
    User.objects.update(password_given=True)
    client = logged_in(dana)
    assert client.get("/runbooks/")["Location"] == "/account/password/"
    led = client.get("/", headers={"hx-request": "true"})
    assert (led.status_code, led["HX-Redirect"]) == (401, "/account/password/")
    assert client.post("/account/tokens/").status_code == 302
    assert change(client) == 302
    assert client.get("/runbooks/").status_code == 200


def test_a_token_is_shown_once(dana: User) -> None:
    client = logged_in(dana)
    sent = {"name": "backup", "scopes": ["read", "run"], "days": "7"}
    page = client.post("/account/tokens/", sent).content.decode()
    token = Token.objects.get()
    text = page.partition("cvdops_")[2][:43]
    assert len(text) == 43 and text not in client.get("/account/").content.decode()
    assert text not in str(AuditEntry.objects.values_list("data", flat=True))
    assert client.post(f"/account/tokens/{token.pk}/revoke/").status_code == 302
    assert "backup</b>" not in client.get("/account/").content.decode()


def test_a_token_needs_a_name_a_purpose_and_an_end(dana: User) -> None:
    sent = {"name": "", "scopes": [], "days": "9999"}
    assert logged_in(dana).post("/account/tokens/", sent).status_code == 422
    assert not Token.objects.exists()


def test_nobody_revokes_the_token_of_somebody_else(dana: User) -> None:
    client = logged_in(dana)
    client.post("/account/tokens/", {"name": "x", "scopes": ["read"], "days": "7"})
    other = logged_in(User.objects.create(username="mallory", name="M"))
    assert other.post(f"/account/tokens/{Token.objects.get().pk}/revoke/").status_code == 404
