"""What programs are told that get something wrong: in their words, not in those of pages."""

import json
import re
import socket

import pytest
from django.test import Client

from tests.api.calls import ROOT, call, token
from tests.api.described import CALLS
from tests.api.test_contract import bare
from tests.cast import person
from tests.web.world import World


@pytest.mark.parametrize(
    "path", ["executions", "lint", "approvals/x/decide", "account/sessions/end"]
)
def test_who_sends_something_as_nobody_is_told_so(path: str, world: World) -> None:
    answer = call("", "POST", path, {})
    assert (answer.status_code, answer.json()["code"]) == (401, "login")
    assert answer["WWW-Authenticate"] == "Bearer"


def test_so_is_who_sends_much(world: World) -> None:
    answer = call("", "POST", "lint", {"text": "x" * (10 << 20)})
    assert (answer.status_code, answer.json()["code"]) == (401, "login")


def test_a_session_without_its_mark_is_told_which(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("developer"))
    answer = client.post(f"{ROOT}lint", {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "X-CSRFToken" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "lint", {"text": "x" * (3 << 20)}, 413, "A body has 2 MB at most."),
        ("GET", "runbook", None, 404, "There is no such call."),
        ("GET", "executions?q=\0", None, 400, "NUL"),
        ("POST", "runbooks", {}, 405, "GET and HEAD"),
    ],
)
def test_programs_read_nothing_of_pages(
    method: str, path: str, body: object, status: int, words: str, world: World
) -> None:
    answer = call(token("developer"), method, path, body)
    assert answer.status_code == status
    said = answer.json()["detail"]
    assert words in said
    assert not any(word in said for word in ("page", "form", "Go back"))


def test_no_address_is_asked_otherwise_than_described(world: World) -> None:
    text = token("developer")
    for path in sorted({one["path"] for one in CALLS}):
        known = {one["method"].upper() for one in CALLS if one["path"] == path}
        for method in sorted({"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - known):
            answer = call(text, method, re.sub(r"\{\w+\}", "1", path.removeprefix(ROOT)))
            assert answer.status_code == 405, (method, path)
            assert known <= set(answer["Allow"].split(", ")), (method, path)


def test_the_page_of_the_calls_leads_people_to_the_login(world: World) -> None:
    answer = Client().get(f"{ROOT}docs")
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=%2Fapi%2Fv1%2Fdocs")
    assert call("", "GET", "openapi.json").status_code == 401


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        (
            {},
            {
                "runbook": "Say this, too.",
                "environment": "Say this, too.",
                "reason": "Say this, too.",
            },
        ),
        ({"colour": "red"}, {"colour": "There is no such field."}),
        ({"reason": "\0"}, {"reason": "It holds a NUL, which no text may."}),
        ({"reason": 3}, {"reason": "This is a text."}),
        ({"reason": "x" * 2001}, {"reason": "It has 2000 characters at most."}),
        ({"in_window": "yes"}, {"in_window": "This is true or false."}),
        (
            {"variables": {"A": "x" * 70_000, "B": [1]}},
            dict.fromkeys(
                ("variables.A", "variables.B"),
                "Give a text of 65,536 characters at most, a whole number, or true or false.",
            ),
        ),
        (
            {"checklist": "all"},
            {"checklist": "Say “confirmed”, or list the places of the items that you confirm."},
        ),
        (
            {"emergency": {"priority": "P1", "reason": "x", "notified_at": "now"}},
            {"emergency.notified_at": "Give a time with its zone, such as 2026-11-29T02:00:00Z."},
        ),
        (
            {"emergency": {"priority": "P1", "reason": "x", "notified_at": "2026-02-30T00:00:00Z"}},
            {"emergency.notified_at": "There is no such time."},
        ),
        ([], {"body": "Send a JSON object as the body."}),
    ],
)
def test_each_field_is_told_what_it_should_be(
    body: object, problems: dict[str, str], world: World
) -> None:
    whole = {"runbook": "deployment", "environment": "development", "reason": "a test"}
    given = {**whole, **body} if isinstance(body, dict) and body else body
    answer = call(token("devops-engineer"), "POST", "executions", given)
    assert answer.status_code == 422
    found = answer.json()
    assert {one["field"]: one["message"] for one in found["problems"]} == problems
    assert all(f"{field}: {text}" in found["detail"] for field, text in problems.items())


def test_no_body_at_all_is_told_so(world: World) -> None:
    answer = bare(token("devops-engineer"), "executions")
    assert [one["field"] for one in answer.json()["problems"]] == ["body"]


def sent(server: int, head: str) -> tuple[bytes, bytes]:
    """What a web server answers to these lines: head and body."""
    with socket.create_connection(("127.0.0.1", server), timeout=30) as client:
        client.sendall(f"{head}\r\n\r\n".encode())
        said = b"".join(iter(lambda: client.recv(4096), b""))
    head_said, _, body = said.partition(b"\r\n\r\n")
    return head_said, body


def test_what_is_no_http_is_told_so(world: World, server: int) -> None:
    lines = f"GET {ROOT}runbooks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \x01"
    head, body = sent(server, lines)
    assert head.startswith(b"HTTP/1.1 400 ") and b"application/problem+json" in head
    assert json.loads(body)["code"] == "unreadable"


def test_a_method_that_nobody_has_heard_of_is_told_like_one_that_does_not_fit(
    world: World, server: int
) -> None:
    head, body = sent(server, f"BREW {ROOT}runbooks?q=x HTTP/1.1\r\nHost: localhost")
    assert head.startswith(b"HTTP/1.1 405 ") and b"application/problem+json" in head
    assert b"\r\nallow: GET, HEAD, POST\r\n" in head
    fits = call(token("developer"), "POST", "runbooks", {}).json()
    assert {**json.loads(body), "detail": ""} == {**fits, "detail": ""}
    head, _ = sent(server, "BREW /runbooks/ HTTP/1.1\r\nHost: localhost")
    assert head.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("place", "body", "field"),
    [
        ("environments/development/periods", {"rule": "FREQ=SECONDLY;COUNT=9"}, "rule"),
        ("environments/development/periods", {"minutes": 0}, "minutes"),
        ("delegations", {}, "ends_at"),
    ],
)
def test_what_is_wrong_is_named_as_it_was_sent(
    place: str, body: dict[str, object], field: str, world: World
) -> None:
    past = "2020-11-29T02:00:00Z"
    period = {"kind": "window", "name": "Night", "starts_at": past, "minutes": 60, "rule": ""}
    lent = {"receiver": person("cto").username, "ends_at": past, "reason": "away"}
    sent = {**(lent if place == "delegations" else {**period, "reason": "why"}), **body}
    answer = call(token("operations-lead"), "POST", place, sent)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["problems"]] == [field]
