"""What a program may know and do of its person's own account."""

import pytest
from django.test import Client

from cvdops.access import tokens
from cvdops.accounts.models import Session, Token
from cvdops.audit.models import AuditEntry
from tests.api.calls import ROOT, call, get, token
from tests.cast import person
from tests.web.world import World


def test_it_lists_where_one_is_logged_in_and_shows_no_key(world: World) -> None:
    world.client("developer"), world.client("cto")
    key = Session.objects.get(user__username="developer").session_key
    answer = call(token("developer", "read"), "GET", "account/sessions")
    (one,) = answer.json()["items"]
    assert not one["here"] and key not in answer.content.decode()


def test_it_logs_a_browser_out(world: World) -> None:
    client, text = world.client("developer"), token("developer", "read", "administer")
    (one,) = get(text, "account/sessions")["items"]
    assert call(text, "POST", f"account/sessions/{one['id']}/end").status_code == 204
    assert client.get("/").status_code == 302
    assert call(text, "POST", f"account/sessions/{one['id']}/end").status_code == 404
    entry = AuditEntry.objects.get(action="session.end")
    assert entry.data["token"] == Token.objects.get().pk


def test_everywhere_is_every_browser_of_ones_own(world: World) -> None:
    mine, other = world.client("developer"), world.client("cto")
    answer = call(token("developer", "administer"), "POST", "account/sessions/end")
    assert answer.json() == {"ended": 1}
    assert (mine.get("/").status_code, other.get("/").status_code) == (302, 200)


def test_a_session_that_asks_stays(world: World) -> None:
    client, other = world.client("developer"), Client()
    other.force_login(person("developer"))
    shown = client.get(f"{ROOT}account/sessions").json()["items"]
    assert sorted(one["here"] for one in shown) == [False, True]
    answer = client.post(f"{ROOT}account/sessions/end", content_type="application/json")
    assert answer.json() == {"ended": 1}
    assert (client.get("/").status_code, other.get("/").status_code) == (200, 302)


def test_it_lists_ones_tokens_and_shows_no_text(world: World) -> None:
    text, other = token("developer", "read"), token("cto")
    answer = call(text, "GET", "account/tokens")
    (one,) = answer.json()["items"]
    assert (one["scopes"], one["here"]) == (["read"], True)
    assert text not in answer.content.decode() and other not in answer.content.decode()


def test_it_revokes_one_of_ones_own_and_nobody_elses(world: World) -> None:
    text, old, other = token("developer", "administer"), token("developer"), token("cto")
    first, theirs = (Token.objects.get(digest=tokens._digest(one)).pk for one in (old, other))
    assert call(text, "POST", f"account/tokens/{first}/revoke").status_code == 204
    assert call(old, "GET", "runbooks").status_code == 401
    assert call(text, "POST", f"account/tokens/{theirs}/revoke").status_code == 404
    assert call(other, "GET", "runbooks").status_code == 200


@pytest.mark.parametrize("path", ["sessions/end", "tokens/1/revoke"])
def test_it_needs_the_scope_that_changes_who_gets_in(path: str, world: World) -> None:
    answer = call(token("developer", "read", "run", "approve"), "POST", f"account/{path}")
    assert answer.status_code == 403
    assert "administer" in answer.json()["reasons"][0]["text"]


def test_no_token_makes_another(world: World) -> None:
    wanted = {"name": "more", "scopes": ["administer"], "days": 90}
    assert call(token("admin"), "POST", "account/tokens", wanted).status_code == 405
    assert Token.objects.count() == 1
