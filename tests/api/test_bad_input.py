"""What bad input gets, of every call: the right status, one problem document, and nothing is changed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db.models.functions import Now
from django.http import HttpResponse

from cvdops.accounts.models import Token
from cvdops.api.examples import BODIES
from cvdops.audit.models import AuditEntry
from tests.api.calls import ROOT, call, token, token_of
from tests.api.described import CALLS, quiet, text, there
from tests.cast import person
from tests.web.world import World

__all__ = ["quiet", "text", "there"]

SENDING = [one for one in CALLS if one["method"] == "post"]
SIGNED = "triggers.deliver"  # shows no token, and takes any payload
TAKING = [one for one in SENDING if "requestBody" in one and one["operationId"] != SIGNED]
LISTS = [one for one in CALLS if "cursor" in {given["name"] for given in one["parameters"]}]
SAYING = [one for one in TAKING if BODIES[one["operationId"]]]
# What only reads, or changes no more than how its person sees things.
LOOKS = {"catalog.lint", "history.keep", "history.forget", "notices.read", "installation.look"}
Ask = Callable[..., HttpResponse]


@pytest.fixture
def ask(text: str, there: dict[str, Any], quiet: None) -> Iterator[Ask]:
    """Asks a call about what is there: by this token, with this body or query, or of another thing."""
    before = done()

    def asked(
        one: dict[str, Any], body: object = None, by: str = text, of: object = None, **query: str
    ) -> HttpResponse:
        path = one["path"].removeprefix(ROOT)
        for name, known in there.items():
            path = path.replace(f"{{{name}}}", str(known if of is None else of))
        given = BODIES.get(one["operationId"], {}) if body is None else body
        return call(by, one["method"].upper(), path, given, **query)

    yield asked
    assert done() == before


def done() -> list[str]:
    """What was done; the tests make tokens."""
    found = AuditEntry.objects.filter(allowed=True).exclude(action="token.make").order_by("pk")
    return [f"{one.action} {one.subject_id}" for one in found]


def others(
    calls: list[dict[str, Any]], wanted: int, answer: Callable[[dict[str, Any]], HttpResponse]
) -> list[object]:
    """The calls that answer otherwise, or with anything but a problem document."""
    found = [(one["operationId"], answer(one)) for one in calls]
    return [
        (name, it.status_code)
        for name, it in found
        if (it.status_code, it["Content-Type"]) != (wanted, "application/problem+json")
    ]


def test_a_token_that_has_expired_opens_nothing(ask: Ask) -> None:
    expired = token_of(person("developer"))
    Token.objects.filter(user=person("developer")).update(expires_at=Now())
    assert others(CALLS, 401, lambda one: ask(one, by=expired)) == []


def test_a_scope_that_is_too_small_is_refused(ask: Ask) -> None:
    lead = person("operations-lead")
    reads, approves = token_of(lead, "read"), token_of(lead, "approve")
    reading = [one for one in CALLS if one["method"] == "get"]
    sending = [one for one in SENDING if one["operationId"] not in {SIGNED, *LOOKS}]
    assert others(reading, 403, lambda one: ask(one, by=approves)) == []
    assert others(sending, 403, lambda one: ask(one, by=reads)) == []


def test_a_field_that_nobody_knows_is_named(ask: Ask) -> None:
    def more(one: dict[str, Any]) -> HttpResponse:
        return ask(one, {**BODIES[one["operationId"]], "nothing": 1})

    assert others(TAKING, 422, more) == []


def test_so_is_a_parameter(ask: Ask) -> None:
    calls = [one for one in CALLS if one["operationId"] != SIGNED]
    assert others(calls, 422, lambda one: ask(one, nothing="1")) == []


@pytest.mark.parametrize("wrong", [[], {"x": [[{"y": None}]]}])
def test_a_body_of_another_kind_is_refused(wrong: object, ask: Ask) -> None:
    assert others(TAKING, 422, lambda one: ask(one, wrong)) == []


def test_what_is_no_json_is_refused(ask: Ask) -> None:
    assert others(TAKING, 400, lambda one: ask(one, '{"reason": ')) == []


def test_so_is_a_value_of_another_kind(ask: Ask) -> None:
    def wrong(one: dict[str, Any]) -> HttpResponse:
        return ask(one, {name: {"x": [1]} for name in BODIES[one["operationId"]]})

    assert others(SAYING, 422, wrong) == []


def test_a_huge_body_is_not_read(ask: Ask) -> None:
    first = {one["tags"][0]: one for one in TAKING}
    huge = {"reason": "x" * 2_500_000}
    assert others(list(first.values()), 413, lambda one: ask(one, huge)) == []


@pytest.mark.parametrize("cursor", ["x", "-1", "1e9", "9" * 30, "٣"])
def test_a_cursor_that_is_none_is_refused(cursor: str, ask: Ask) -> None:
    assert others(LISTS, 422, lambda one: ask(one, cursor=cursor)) == []


@pytest.mark.parametrize("known", ["0198c0de-0000-7000-8000-000000000000", "999999", "nothing"])
def test_what_is_not_there_is_not_found(known: str, ask: Ask) -> None:
    made = {SIGNED, "history.file", "audit.file", "changes.set_group"}  # of any kind or name
    named = [one for one in CALLS if "{" in one["path"] and one["operationId"] not in made]

    def another(one: dict[str, Any]) -> HttpResponse:
        asked = [given for given in one["parameters"] if given["in"] == "query"]
        needed = {given["name"]: "hello" for given in asked if given.get("required")}
        return ask(one, of=known, **needed)

    assert others(named, 404, another) == []


def test_who_is_refused_at_an_address_with_a_nul_is_told_so_and_recorded(world: World) -> None:
    answer = call(token("developer", "approve"), "GET", "executions/a%00b")
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert AuditEntry.objects.get(allowed=False).subject_id == "/executions/a%00b/"
