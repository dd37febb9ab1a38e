"""What the API shows: the shapes, a page at a time, and nothing that the pages would not show."""

import re
import sys
from collections import Counter

import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError
from django.test import AsyncClient
from ninja import Schema

from cvdops.access.certification import Stage
from cvdops.api import asking, urls
from cvdops.approvals.seed import seed_policies
from cvdops.audit.models import AuditEntry
from cvdops.executions import history, trail
from tests.api.calls import call, get, token
from tests.cast import certify, person
from tests.web.world import World

NOTHING = "019ab000-0000-7000-8000-000000000000"


def test_the_matrix(world: World) -> None:
    found = get(token("outsider"), "permissions/matrix")
    assert found["categories"][0] == "deployment"
    lead = next(row for row in found["roles"] if row["role"] == "operations-lead")
    assert lead["leads"]
    assert set(lead["levels"]) == set(found["categories"])


def test_a_question_is_answered_with_its_reasons(world: World) -> None:
    asked = {"action": "execution.start", "runbook": "deployment", "environment": "development"}
    text = token("devops-engineer")
    assert get(text, "permissions/check", **asked) == {
        "allowed": True,
        "supervised": False,
        "reasons": [],
    }
    person("auditor")
    other = get(text, "permissions/check", **asked, user="auditor")
    assert not other["allowed"]
    assert set(other["reasons"][0]) == {"code", "text", "remedy"}


def test_a_start_that_waits_for_a_supervisor_is_allowed_and_says_so(world: World) -> None:
    asked = {"action": "execution.start", "runbook": "deployment", "environment": "development"}
    trainee = token("devops-engineer")
    certify(person("devops-engineer"), Stage.SUPERVISED)
    found = get(trainee, "permissions/check", **asked)
    assert (found["allowed"], found["supervised"]) == (True, True)
    assert [reason["code"] for reason in found["reasons"]] == ["supervision"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 422),
        ({"action": ""}, 422),
        ({"action": "execution.start"}, 422),
        ({"action": "nothing"}, 404),
        ({"action": "audit.read", "user": "nobody"}, 404),
        ({"action": "execution.start", "runbook": "nothing"}, 404),
        ({"action": "audit.read", "at": "tomorrow"}, 422),
        ({"action": "audit.read", "at": "2026-11-26T14:00"}, 422),
        ({"action": "audit.read", "person": "developer"}, 422),
    ],
)
def test_a_question_that_does_not_fit_is_not_answered(
    asked: dict[str, str], status: int, world: World
) -> None:
    assert call(token("admin"), "GET", "permissions/check", **asked).status_code == status


def test_before_an_account_is_closed_it_is_told_what_nobody_could_meet_then(world: World) -> None:
    seed_policies()
    person("operations-lead"), person("operations-manager"), person("security-admin")
    text = token("admin")
    found = get(text, "accounts/security-admin/close")
    assert found["problem"] == ""
    assert any("1 of security-admin" in said for said in found["left_stuck"])
    assert get(text, "accounts/admin/close")["problem"].startswith("This is you")
    call(text, "POST", "accounts/security-admin/close", {"reason": "has left"})
    closed = get(text, "accounts/security-admin/close")
    assert ("closed already" in closed["problem"], closed["left_stuck"]) == (True, [])


def test_nobody_asks_about_a_runbook_that_they_may_not_see(world: World) -> None:
    asked = {"action": "execution.start", "runbook": "deployment", "user": "operations-lead"}
    person("operations-lead")
    assert call(token("outsider"), "GET", "permissions/check", **asked).status_code == 404


def test_runbooks_a_page_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAGE", 2)
    text = token("operations-lead")
    first = get(text, "runbooks")
    assert [item["id"] for item in first["items"]] == ["deployment", "incident-response"]
    last = get(text, "runbooks", cursor=first["next_cursor"])
    assert [item["id"] for item in last["items"]] == ["security-audit"]
    assert last["next_cursor"] == ""
    assert first["items"][0]["current"]["label"] == "1.0.0"
    assert get(text, "runbooks", category="security")["items"] == last["items"]


def test_a_runbook(world: World) -> None:
    found = get(token("operations-lead"), "runbooks/deployment")
    assert [p["key"] for p in found["procedures"]] == ["release", "greet"]
    assert {"ask", "say", "hello", "unsay"} <= {step["id"] for step in found["steps"]}
    secret = next(v for v in found["variables"] if v["name"] == "TOKEN")
    assert secret["secret"]
    assert secret["default"] is None


@pytest.mark.parametrize(
    ("kind", "known"), [("runbooks", "deployment"), ("executions", "EXECUTION")]
)
def test_unknown_and_forbidden_are_the_same(kind: str, known: str, world: World) -> None:
    text, known = token("outsider"), known.replace("EXECUTION", str(world.start().pk))
    answers = [call(text, "GET", f"{kind}/{name}") for name in (known, NOTHING, "x y")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["code"] == "not_found"
    assert get(text, kind) == {"items": [], "next_cursor": ""}


def test_executions_a_page_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "PAGE", 1)
    made = [str(world.start().pk) for _ in range(2)]
    text = token("developer")
    first = get(text, "executions", state="queued", requested_by="devops-engineer")
    last = get(text, "executions", state="queued", cursor=first["next_cursor"])
    assert [page["items"][0]["id"] for page in (first, last)] == made[::-1]
    assert last["next_cursor"] == ""
    assert get(text, "executions", environment="staging")["items"] == []
    assert get(text, "executions", since="2999-01-01T00:00:00Z")["items"] == []


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ({"procedure": "greet"}, ["greet"]),
        ({"procedure": "release"}, ["release"]),
        ({"host": "practice"}, ["greet", "release"]),
        ({"host": "elsewhere"}, []),
        ({"variable": "TARGET_VERSION"}, ["release"]),
        ({"variable": "TARGET_VERSION", "value": "v1.0.1"}, ["release"]),
        ({"variable": "TARGET_VERSION", "value": "v9"}, []),
        ({"emergency": "true"}, []),
        ({"emergency": "false"}, ["greet", "release"]),
        ({"output": "hello"}, []),
        ({"until": "2026-01-01T00:00:00Z"}, []),
        ({"until": "9999-12-31T23:59:59-12:00"}, ["greet", "release"]),
        ({"since": "0001-01-01T00:00:00+14:00"}, ["greet", "release"]),
        ({"since": "1038-02-22T19:47:15.73-22:15"}, ["greet", "release"]),
        ({"q": "deploy"}, ["greet", "release"]),
    ],
)
def test_executions_by_every_filter_of_the_history(
    query: dict[str, str], fits: list[str], world: World
) -> None:
    world.start(), world.request()
    found = get(token("developer"), "executions", **query)["items"]
    assert sorted(one["procedure"] for one in found) == fits


def test_a_value_without_its_variable_is_an_error(world: World) -> None:
    answer = call(token("developer"), "GET", "executions", value="v1.0.1")
    assert (answer.status_code, answer.json()["problems"][0]["field"]) == (422, "value")


def test_an_execution(world: World) -> None:
    request = world.request()
    (item,) = get(token("developer"), "executions")["items"]
    found = get(token("developer"), f"executions/{item['id']}")
    assert found | item == found
    assert (found["runbook"], found["version"], found["procedure"]) == (
        "deployment",
        "1.0.0",
        "release",
    )
    assert found["url"] == f"/executions/{item['id']}/"
    assert found["variables"]["TARGET_VERSION"] == "v1.0.1"
    assert "TOKEN" not in found["variables"]
    assert [(step["id"], step["state"]) for step in found["steps"]] == [
        ("ask", "waiting"),
        ("say", "pending"),
    ]
    assert [one["id"] for one in found["approvals"]] == [request]
    assert found["undo"] == []
    assert len(found["checklists"]) == 8
    assert found["created_at"].endswith("Z")


def test_the_audit_log_a_page_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAGE", 1)
    text = token("auditor")
    made = list(AuditEntry.objects.order_by("-id").values_list("pk", flat=True))
    found, cursor = [], ""
    while not found or cursor:
        page = get(text, "audit", cursor=cursor)
        found += [entry["id"] for entry in page["items"]]
        cursor = page["next_cursor"]
    assert found == made
    answer = call(token("developer"), "GET", "audit")
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["role"]


def test_a_refused_call_is_recorded_as_the_page_it_is_about(world: World) -> None:
    """So that who may not see that page finds no trace of it in the log."""
    call(token("developer"), "POST", f"approvals/{NOTHING}/decide", {})
    request = world.request()
    digest = {"decision": "approve", "plan_digest": "x"}
    call(token("developer"), "POST", f"approvals/{request}/decide", digest)
    assert AuditEntry.objects.filter(allowed=False).first().subject_id == (
        f"/approvals/{request}/decide/"
    )


def test_errors_outside_a_call_are_problem_documents_too(world: World) -> None:
    text = token("admin")
    for method, path, status in (
        ("GET", "nothing", 404),
        ("POST", "runbooks", 405),
        ("GET", f"approvals/{NOTHING}/decide", 405),
    ):
        answer = call(text, method, path, {})
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
        assert set(answer.json()) == {"title", "status", "code", "detail"}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(RuntimeError("secret"), 500, "fault"), (OperationalError("secret"), 503, "unavailable")],
)
def test_what_is_broken_is_a_problem_document_without_its_inside(
    error: Exception, status: int, code: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: object) -> None:
        raise error

    text = token("auditor")
    monkeypatch.setattr(trail, "matching", broken)
    answer = call(text, "GET", "audit")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert b"secret" not in answer.content


def test_the_server_answers_as_the_tests_do(world: World) -> None:
    """The same by ASGI, where the middleware runs in an event loop."""
    headers = {"authorization": f"Bearer {token('developer')}"}
    ask = async_to_sync(AsyncClient().get)
    assert ask("/api/v1/runbooks", headers=headers).status_code == 200
    assert ask("/api/v1/audit", headers=headers).status_code == 403
    assert ask("/api/v1/audit").status_code == 401


def test_the_description_names_every_call(world: World) -> None:
    found = get(token("developer"), "openapi.json")
    assert found["openapi"].startswith("3.")
    addresses = {p.name: f"/api/v1/{p.pattern}" for p in urls.urlpatterns}
    called = [re.sub("<(?:[a-z]+:)?", "{", a).replace(">", "}") for a in addresses.values()]
    assert {*found["paths"], "/api/v1/openapi.json", "/api/v1/docs"} == set(called)
    assert set(found["components"]["securitySchemes"]) == {"token", "session"}


def test_no_two_shapes_have_one_name() -> None:
    """The description knows them by it: one would be taken for the other."""
    modules = [m for name, m in sys.modules.items() if name.startswith("cvdops.api.")]
    shapes = {
        shape
        for module in modules
        for shape in vars(module).values()
        if isinstance(shape, type) and issubclass(shape, Schema) and shape.__name__ != "Wanted"
    }
    names = Counter(shape.__name__ for shape in shapes if shape.__module__.startswith("cvdops."))
    assert [name for name, count in names.items() if count > 1] == []


def test_a_document_is_written_out_as_it_was_understood(world: World) -> None:
    text = token("developer")
    given = {"text": "# Restart\n\n## Procedures\n\n```bash\ntrue\n```\n", "name": "restart.md"}
    plain = call(text, "POST", "lint", given).json()
    written = call(text, "POST", "lint", {**given, "annotate": True}).json()
    assert plain["annotated"] == "" and "{#" in written["annotated"]
    assert {**written, "annotated": ""} == plain
