"""What a program may do that presents a token."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from cvdops.access import tokens
from cvdops.access.policy import Action
from cvdops.access.tokens import Scope, bearer
from cvdops.accounts.models import Token, User
from cvdops.lib.errors import Invalid

pytestmark = pytest.mark.django_db


@pytest.fixture
def dana() -> User:
    return User.objects.create(username="dana", name="Dana")


def header(user: User, *scopes: str, days: int = 7) -> str:
    return "Bearer " + tokens.make(user, "program", scopes or ("read",), days)[1]


def test_it_says_who_asks_and_what_for(dana: User) -> None:
    found = bearer(header(dana, "read", "run"))
    assert found and (found.user, found.scopes) == (dana, {Scope.READ, Scope.RUN})
    assert Token.objects.get().used_at is not None


@pytest.mark.parametrize(
    "wrong", ["", "Bearer ", "Bearer cvdops_" + "a" * 43, "Basic x", "Bearer cvdops_short"]
)
def test_what_is_no_token_opens_nothing(dana: User, wrong: str) -> None:
    header(dana)
    assert bearer(wrong) is None


def test_it_ends_by_its_time(dana: User) -> None:
    sent = header(dana, days=1)
    Token.objects.update(expires_at=F("expires_at") - timedelta(days=1))
    assert bearer(sent) is None


def test_it_ends_when_it_is_revoked(dana: User) -> None:
    sent = header(dana)
    tokens.revoke(dana, Token.objects.get().pk)
    assert bearer(sent) is None


def test_it_ends_with_the_account(dana: User) -> None:
    sent = header(dana)
    User.objects.update(is_active=False)
    assert bearer(sent) is None


def test_only_its_digest_is_kept(dana: User) -> None:
    text = header(dana).removeprefix("Bearer ")
    assert text not in str(Token.objects.values().get())


def allowed(user: User, *scopes: str) -> set[Action]:
    found = bearer(header(user, *scopes))
    assert found
    return {action for action in Action if found.permits(action).allowed}


def test_a_scope_opens_what_it_says_and_nothing_else(dana: User) -> None:
    assert allowed(dana, "approve") == {Action.DECIDE, Action.REVIEW_RUNBOOK}


def test_one_to_run_cannot_approve(dana: User) -> None:
    run = allowed(dana, "read", "run")
    assert Action.START in run and Action.DECIDE not in run


def test_only_one_that_administers_changes_who_may_do_what(dana: User) -> None:
    sharp = {Action.EDIT_PERMISSIONS, Action.MANAGE_ACCOUNTS, Action.EDIT_ENVIRONMENTS}
    assert not allowed(dana, *(set(Scope) - {Scope.ADMINISTER})) & sharp


def test_a_refusal_says_which_scope_is_missing(dana: User) -> None:
    found = bearer(header(dana))
    assert found
    assert "needs the scope approve" in found.permits(Action.DECIDE).reasons[0].text
    assert "cannot be done with an API token" in found.permits(Action.SUPERVISE).reasons[0].text


def test_a_scope_that_is_no_more_opens_nothing(dana: User) -> None:
    sent = header(dana)
    Token.objects.update(scopes=["everything"])
    found = bearer(sent)
    assert found and found.scopes == frozenset()


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [("", ["read"], 7), ("x", [], 7), ("x", ["root"], 7), ("x", ["read"], 0), ("x", ["read"], 366)],
)
def test_what_cannot_be_made(dana: User, name: str, scopes: list[str], days: int) -> None:
    with pytest.raises(Invalid):
        tokens.make(dana, name, scopes, days)


def test_the_last_use_is_not_written_at_every_one(dana: User) -> None:
    sent = header(dana)
    Token.objects.update(used_at=Now() - timedelta(seconds=30))
    before = Token.objects.get().used_at
    assert bearer(sent)
    assert Token.objects.get().used_at == before
