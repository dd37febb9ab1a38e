"""Logging in and out."""

import pytest
from django.test import Client

from cvdops.accounts.models import User
from cvdops.audit.models import AuditEntry

PASSWORD = "a-long-password"


@pytest.fixture
def dana(db: None) -> User:
    return User.objects.create_user("dana", "Dana", PASSWORD)


def log_in(client: Client, password: str = PASSWORD, name: str = "dana", to: str = "/"):
    form = {"username": name, "password": password, "next": to}
    return client.post("/login/", form, headers={"x-forwarded-for": "203.0.113.9"})


def test_logging_in_leads_to_where_one_wanted_to_go(client: Client, dana: User) -> None:
    answer = log_in(client, to="/audit/?action=session")
    assert (answer.status_code, answer["Location"]) == (302, "/audit/?action=session")


def test_a_login_is_recorded_with_its_address(client: Client, dana: User) -> None:
    log_in(client)
    entry = AuditEntry.objects.get(action="session.login")
    assert (entry.actor, entry.allowed, entry.address) == (dana, True, "127.0.0.1")


def test_wrong_password_and_unknown_user_get_the_same_answer(client: Client, dana: User) -> None:
    wrong = log_in(client, "wrong").content.replace(b"dana", b"NAME")
    unknown = log_in(client, "wrong", "daisy").content.replace(b"daisy", b"NAME")
    assert without_token(wrong) == without_token(unknown)
    assert b"do not belong together" in wrong


def without_token(page: bytes) -> list[bytes]:
    return [line for line in page.splitlines() if b"csrfmiddlewaretoken" not in line]


def test_a_closed_account_cannot_log_in(client: Client, dana: User) -> None:
    User.objects.update(is_active=False)
    assert log_in(client).status_code == 422


def test_a_failed_login_is_recorded(client: Client, dana: User) -> None:
    log_in(client, "wrong")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject_id, entry.allowed) == ("session.login", "dana", False)


def test_what_cannot_be_a_user_name_is_not_written_down(client: Client, dana: User) -> None:
    log_in(client, "dana", name="My secret pass phrase!")
    assert AuditEntry.objects.get().subject_id == "not a user name"


def test_after_too_many_wrong_passwords_one_has_to_wait(client: Client, dana: User) -> None:
    for _ in range(5):
        assert log_in(client, "wrong").status_code == 422
    answer = log_in(client)
    assert (answer.status_code, answer["Retry-After"]) == (429, "6")
    assert b"Wait 6 seconds" in answer.content
    log_in(client)
    refused = AuditEntry.objects.filter(data__reasons=["wait"])
    assert refused.count() == 1  # however often one tries meanwhile


def test_logging_out_ends_the_session(client: Client, dana: User) -> None:
    log_in(client)
    answer = client.post("/logout/")
    assert answer["Clear-Site-Data"] == '"cache"'
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "javascript:alert(1)", "\\\\evil", "/\\evil", ""],
)
def test_the_login_never_leads_to_another_site(client: Client, dana: User, target: str) -> None:
    assert log_in(client, to=target)["Location"] == "/"
