"""What programs are told that get something wrong: in their words, not in those of pages."""

import pytest
from django.test import Client

from tests.api.calls import ROOT, call, token
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


def test_the_page_of_the_calls_leads_people_to_the_login(world: World) -> None:
    answer = Client().get(f"{ROOT}docs")
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=%2Fapi%2Fv1%2Fdocs")
    assert call("", "GET", "openapi.json").status_code == 401
