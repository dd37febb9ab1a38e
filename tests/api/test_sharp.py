"""What a page asks the password for again: a session that showed it, or a token that administers."""

import pytest
from django.urls import reverse

from cvdops.access import tokens
from cvdops.accounts.models import Session
from cvdops.api import sharp
from cvdops.api.urls import _calls
from cvdops.audit.models import AuditEntry
from cvdops.environments.models import EnvironmentSecret
from cvdops.lib.errors import Invalid
from tests.api.calls import ROOT, call, token
from tests.cast import person
from tests.web.access_table import TABLE
from tests.web.world import World

# The calls that do what a page marked `@fresh` does.
SHARP = {
    "api-matrix", "api-give-role", "api-period-set", "api-period-remove", "api-policies",
    "api-approver-group-set", "api-change-confirm", "api-change-refuse", "api-secret",
    "api-secret-remove", "api-accounts", "api-account-close", "api-account-reopen",
    "api-account-password", "api-roles", "api-triggers", "api-trigger-rotate", "api-trigger-enable",
}  # fmt: skip


def test_the_calls_that_are_sharp() -> None:
    found = {name for name, calls in _calls().items() if any(map(sharp.is_sharp, calls.values()))}
    assert found == SHARP


@pytest.mark.parametrize("name", sorted(SHARP))
def test_a_session_that_is_not_fresh_is_refused(name: str, world: World) -> None:
    row, client = TABLE[name], world.client("admin")
    address, body = reverse(name, kwargs=world.named(row.kwargs)), world.named(row.body)
    Session.objects.update(proved_at=None)
    before = AuditEntry.objects.filter(allowed=True).count()
    answer = client.post(address, body, content_type="application/json")
    assert answer.status_code == 403, answer.content
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["fresh"]
    assert AuditEntry.objects.filter(allowed=True).count() == before


@pytest.mark.parametrize("name", sorted(SHARP))
def test_a_token_needs_the_scope(name: str, world: World) -> None:
    row = TABLE[name]
    address, body = reverse(name, kwargs=world.named(row.kwargs)), world.named(row.body)
    text = token("admin", "read", "run", "approve")
    answer = call(text, "POST", address.removeprefix(ROOT), body)
    assert (answer.status_code, answer.json()["reasons"][0]["code"]) == (403, "scope")
    assert "administer" in answer.json()["reasons"][0]["text"]


def test_a_token_that_administers_does_it(world: World) -> None:
    secret = {"name": "API_TOKEN", "value": "a-long-value"}
    text = token("admin", "administer")
    answer = call(text, "POST", "environments/development/secrets", secret)
    assert answer.status_code == 201, answer.content
    assert "a-long-value" not in answer.content.decode()
    assert EnvironmentSecret.objects.get().set_by == person("admin")
    assert call(text, "GET", "environments").status_code == 403  # and reads nothing


@pytest.mark.parametrize(("days", "proved", "field"), [(91, True, "days"), (90, False, "scopes")])
def test_one_that_administers_is_short_and_proved(
    days: int, proved: bool, field: str, world: World
) -> None:
    with pytest.raises(Invalid) as error:
        tokens.make(person("admin"), "x", ["administer"], days, proved=proved)
    assert [problem.field for problem in error.value.problems] == [field]


def test_two_persons_are_needed_with_tokens_too(world: World) -> None:
    asked = {"role": "developer", "category": "security", "level": "assist", "reason": "They help."}
    made = call(token("admin"), "POST", "permissions/matrix", asked)
    assert (made.status_code, made.json()["state"]) == (201, "proposed")
    path = f"changes/{made.json()['id']}/confirm"
    own = call(token("admin"), "POST", path, {})
    assert (own.status_code, own.json()["reasons"][0]["code"]) == (403, "same_person")
    other = call(token("operations-lead"), "POST", path, {"comment": "right"})
    assert (other.status_code, other.json()["state"]) == (200, "applied")
    again = call(token("operations-lead"), "POST", path, {})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
