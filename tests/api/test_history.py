"""The history by the API: files, filters that people keep, two executions side by side, evidence; its times."""

import csv
import io
import json
import re
from datetime import UTC, date, datetime

import pytest
from asgiref.sync import async_to_sync
from django.db import connections
from django.test import AsyncClient

from cvdops.api.locations import LOCATIONS, location
from cvdops.api.urls import described
from cvdops.audit.models import AuditEntry
from cvdops.executions.models import Execution
from cvdops.lib.moments import midnight, rfc3339
from tests.api.calls import ROOT, call, get, token
from tests.api.described import CALLS
from tests.api.test_starting import body
from tests.cast import OUTSIDER, person
from tests.web.world import World


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file closes the connections of its thread, which here is that of the test."""
    monkeypatch.setattr(connections, "close_all", lambda: None)


def file(text: str, path: str) -> str:
    @async_to_sync
    async def read() -> bytes:
        answer = await AsyncClient().get(
            f"{ROOT}{path}", headers={"authorization": f"Bearer {text}"}
        )
        assert answer.status_code == 200
        return b"".join([part async for part in answer.streaming_content])

    return read().decode()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_history_is_a_file_by_the_filters_of_the_list(world: World) -> None:
    one, _two = world.start(reason="one"), world.start(reason="two")
    text = token("auditor")
    found = rows(file(text, f"executions/export/csv?q=%23{one.number}"))
    assert [row["reason"] for row in found] == ["one"]
    everything = json.loads(file(text, "executions/export/json"))["items"]
    assert [item["reason"] for item in everything] == ["one", "two"]
    entry = AuditEntry.objects.filter(action="execution.export").earliest("pk")
    assert (entry.actor, entry.subject_id) == (person("auditor"), "csv")
    assert entry.data["query"] == f"q=%23{one.number}" and "token" in str(entry.data)


def test_nobody_takes_along_what_they_may_not_see(world: World) -> None:
    world.start()
    assert rows(file(token(OUTSIDER), "executions/export/csv")) == []


def test_the_audit_log_is_a_file(world: World) -> None:
    world.start()
    found = rows(file(token("auditor"), "audit/export/csv?action=execution."))
    assert [row["action"] for row in found] == ["execution.start"]
    entry = AuditEntry.objects.get(action="audit.export")
    assert entry.data["action"] == "execution."


@pytest.mark.parametrize("path", ["executions/export/xml", "audit/export/csv?since=yesterday"])
def test_what_is_no_file_is_told_so(path: str, world: World) -> None:
    assert call(token("auditor"), "GET", path).status_code == 422
    assert not AuditEntry.objects.filter(action__endswith=".export").exists()


def test_the_chain_is_told_to_those_who_read_the_log(world: World) -> None:
    assert get(token("auditor"), "audit/chain")["problem"] == ""
    assert call(token("developer"), "GET", "audit/chain").status_code == 403


def test_a_filter_is_kept_and_finds_the_same_as_on_the_page(world: World) -> None:
    world.start(reason="one")
    text = token("auditor")
    given = {
        "name": "Of now",
        "requested_by": "devops-engineer",
        "since": f"{datetime.now(UTC):%Y-%m-%d}",
    }
    made = call(text, "POST", "executions/filters", given)
    assert (made.status_code, made["Location"]) == (201, f"{ROOT}executions/filters")
    (kept,) = get(text, "executions/filters")["items"]
    assert kept == made.json()
    answer = call(text, "GET", f"executions?{kept['query']}")
    assert [item["reason"] for item in answer.json()["items"]] == ["one"]
    assert "Of now" in world.client("auditor").get(kept["url"]).content.decode()
    assert get(token("developer"), "executions/filters")["items"] == []
    other = call(token("developer"), "POST", f"executions/filters/{kept['id']}/remove", {})
    assert other.status_code == 404
    assert call(text, "POST", f"executions/filters/{kept['id']}/remove", {}).status_code == 204
    assert get(text, "executions/filters")["items"] == []
    actions = AuditEntry.objects.filter(action__startswith="filter.").values_list(
        "action", flat=True
    )
    assert sorted(actions) == ["filter.remove", "filter.save"]


@pytest.mark.parametrize(
    "given",
    [
        {"name": "x"},
        {"name": " ", "q": "x"},
        {"name": "x", "value": "v"},
        {"q": "x"},
        {"name": "x", "since": 0},
        {"name": "x", "until": "2026-11-29T00:00:00"},
    ],
)
def test_what_is_no_filter_is_told_so(given: dict[str, object], world: World) -> None:
    answer = call(token("developer"), "POST", "executions/filters", given)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_a_day_of_a_filter_is_all_of_it(world: World) -> None:
    given = {"name": "A week", "since": "2026-11-02", "until": "2026-11-08", "emergency": True}
    query = call(token("developer"), "POST", "executions/filters", given).json()["query"]
    assert sorted(query.split("&")) == [
        "emergency=true", "since=2026-11-02T00%3A00%3A00Z", "until=2026-11-09T00%3A00%3A00Z",
    ]  # fmt: skip


def test_two_are_compared(world: World) -> None:
    one = world.start(reason="one")
    two = world.start(procedure="release", variables={"TARGET_VERSION": "v1.0.1"}, reason="two")
    text = token("auditor")
    found = get(text, "executions/compare", first=str(one.number), second=str(two.pk))
    assert (found["first"]["reason"], found["second"]["reason"]) == ("one", "two")
    values = {value["name"]: value for value in found["variables"]}
    assert values["TARGET_VERSION"]["second"] == "v1.0.1"
    assert values["TARGET_VERSION"]["differs"] is True
    assert any(step["first"] is None for step in found["steps"])
    hidden = call(token(OUTSIDER), "GET", f"executions/compare?first={one.pk}&second={two.pk}")
    assert hidden.status_code == 404


def test_the_evidence_has_what_its_page_has(world: World) -> None:
    made = world.start(reason="one")
    found = get(token("auditor"), f"executions/{made.pk}/evidence")
    assert found["execution"]["plan_digest"] == made.plan_digest
    assert found["version"]["content_hash"] == made.version.content_hash
    assert [one["user"] for one in found["people"]] == ["devops-engineer"]
    assert any("started it" in line["text"] for line in found["timeline"])
    assert found["cut"] is False
    assert call(token(OUTSIDER), "GET", f"executions/{made.pk}/evidence").status_code == 404


def test_every_time_is_told_alike(world: World) -> None:
    made = world.start()
    text, at = token("auditor"), rfc3339(made.created_at)
    (item,) = get(text, "executions")["items"]
    detail = get(text, f"executions/{made.pk}")
    (row,) = rows(file(text, "executions/export/csv"))
    evidence = get(text, f"executions/{made.pk}/evidence")["execution"]
    assert {one["created_at"] for one in (item, detail, row, evidence)} == {at}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z|[^.]*:\d\dZ", at)


def test_days_begin_at_midnight() -> None:
    assert rfc3339(midnight(date(2026, 11, 29), 1)) == "2026-11-30T00:00:00Z"
    assert midnight(date.max, 1).year == 9999


def test_every_201_says_where_what_was_made_is_read() -> None:
    made = {call["operationId"] for call in CALLS if 201 in call["responses"]}
    assert made == set(LOCATIONS)
    for one in CALLS:
        if answer := one["responses"].get(201):
            assert answer["headers"]["Location"]["schema"] == {"type": "string"}


def test_a_location_is_an_address_whatever_the_name() -> None:
    found = location("parts.add_host", {"slug": "a b"}, {"name": "x/y"})
    assert found == f"{ROOT}environments/a%20b/hosts/x%2Fy"


def test_an_answer_that_is_given_again_says_where_too(world: World) -> None:
    text, key = token("devops-engineer"), {"idempotency-key": "build-4711"}
    one, two = (call(text, "POST", "executions", body(), headers=key) for _ in range(2))
    made = Execution.objects.get()
    assert one["Location"] == two["Location"] == f"{ROOT}executions/{made.pk}"


def test_examples_of_answers_stand_in_the_description() -> None:
    answer = described()["paths"][f"{ROOT}executions/{{execution_id}}"]["get"]["responses"][200]
    assert answer["content"]["application/json"]["example"]["runbook"] == "deployment"
    file = described()["paths"][f"{ROOT}audit/export/{{file_kind}}"]["get"]["responses"][200]
    assert file["content"]["text/csv"]["example"].startswith('"number","id","at"')
    assert "example" not in file["content"]["application/json"]
