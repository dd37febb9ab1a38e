"""The audit log as a page and as a file."""

import csv
import io
import json
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, connections
from django.db.models.functions import Now
from django.test import AsyncClient

from cvdops.access.models import RoleGrant
from cvdops.access.seed import seed_roles
from cvdops.audit.log import from_address, record
from cvdops.audit.models import AuditEntry, Seal, Witness
from cvdops.executions import records
from cvdops.lib.errors import Refused
from tests.cast import person
from tests.web.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _one_connection(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file closes the connections of its thread, which here is that of the test."""
    seed_roles()
    monkeypatch.setattr(connections, "close_all", lambda: None)


def file(kind: str, query: str = "", role: str = "auditor") -> str:
    reader = person(role)

    @async_to_sync
    async def read() -> bytes:
        client = AsyncClient()
        await client.aforce_login(reader)
        answer = await client.get(f"/audit/export/{kind}/{query}")
        assert answer.status_code == 200
        return b"".join([part async for part in answer.streaming_content])

    connection.check_constraints()
    return read().decode()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_file_has_every_entry_with_its_hash_oldest_first() -> None:
    with from_address("10.0.0.7"):
        record(person("developer"), "x.do", "thing", "1", data={"reason": "so"})
    record(None, "x.no", "thing", "2", allowed=False)
    first, second = rows(file("csv"))
    assert (first["user"], first["answer"], first["address"]) == ("developer", "done", "10.0.0.7")
    assert (second["action"], second["answer"], second["user"]) == ("x.no", "refused", "")
    assert first["hash"] == bytes(Seal.objects.get(pk=1).hash).hex()
    assert [first["number"], second["number"]] == ["1", "2"]
    assert json.loads(first["data"]) == {"reason": "so"}


def test_the_json_says_the_same() -> None:
    record(person("developer"), "x.do", "thing", "1", data={"reason": "so"})
    (item,) = json.loads(file("json"))["items"]
    assert (item["user"], item["data"], item["answer"]) == ("developer", {"reason": "so"}, "done")


def test_an_empty_file_can_be_read() -> None:
    assert json.loads(file("json")) == {"items": []}
    assert rows(file("csv", "?action=nothing")) == []


def test_it_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "PART", 2)
    for number in range(5):
        record(None, "x.do", "thing", number)
    assert [item["subject_id"] for item in json.loads(file("json"))["items"]] == list("01234")


def test_it_has_what_fits_the_filters() -> None:
    record(None, "x.do", "thing", "1")
    record(None, "y.do", "thing", "2")
    assert [one["subject_id"] for one in rows(file("csv", "?action=y"))] == ["2"]


def test_a_filter_that_cannot_be_read_is_never_left_out_silently(world: World) -> None:
    auditor = world.client("auditor")
    page = auditor.get("/audit/?since=foo").content.decode()
    assert "This is no day." in page
    assert '<details class="filter-box" open>' in page
    refused = auditor.get("/audit/export/csv/?since=foo")
    assert refused.status_code == 422
    assert not AuditEntry.objects.filter(action="audit.export").exists()


def test_no_cell_is_a_formula() -> None:
    record(None, "x.do", "thing", "=cmd()", data={"reason": "=cmd()"})
    (only,) = rows(file("csv"))
    assert only["subject_id"] == "'=cmd()"


def test_who_exports_is_an_entry() -> None:
    file("csv", "?person=dana")
    entry = AuditEntry.objects.get(action="audit.export")
    assert (entry.actor, entry.data) == (person("auditor"), {"person": "dana"})


def test_a_right_that_ends_meanwhile_breaks_the_file_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "PART", 1)
    record(None, "x.do", "thing", "1")
    record(None, "x.do", "thing", "2")
    said = records._entry

    def after_the_first(*given: object) -> dict[str, object]:
        RoleGrant.objects.update(ends_at=Now() - timedelta(seconds=1))
        return said(*given)

    monkeypatch.setattr(records, "_entry", after_the_first)
    with pytest.raises(Refused, match="auditors"):
        file("csv")


def test_the_page_filters_by_address(world: World) -> None:
    with from_address("10.0.0.7"):
        record(None, "x.near", "thing", "1")
    with from_address("10.0.0.8"):
        record(None, "x.far", "thing", "2")
    page = world.client("auditor").get("/audit/?address=10.0.0.7").content
    assert b"x.near" in page and b"x.far" not in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "No worker has checked"),
        ({"whole_at": Now(), "whole_number": 7}, "Every entry is as it was written: 7"),
        ({"problem": "Entry 3 was changed.", "whole_at": Now()}, "not whole.</b> Entry 3"),
        ({"outside": "No space left."}, "cannot be noted outside the database: No space"),
    ],
)
def test_the_page_says_how_the_chain_stands(
    world: World, state: dict[str, object], words: str
) -> None:
    Witness.objects.create(pk=1, **state)
    assert words in world.client("auditor").get("/audit/").content.decode()


def test_sending_to_what_is_not_there_is_an_entry(world: World) -> None:
    client = world.client("outsider")
    client.post("/runbooks/deployment/versions/1/review/")
    client.post("/runbooks/nothing/versions/1/review/")
    found = AuditEntry.objects.filter(allowed=False, data__reasons=["not_found"])
    assert found.count() == 2


def test_entries_of_one_minute_are_told_apart_and_say_whole_ids(world: World) -> None:
    execution = world.start()
    entry = AuditEntry.objects.filter(subject="execution").latest("id")
    page = world.client("auditor").get("/audit/").content.decode()
    assert f"{entry.at:%Y-%m-%d %H:%M:%S UTC}</time>" in page
    exact = f"{entry.at:%Y-%m-%d %H:%M:%S}.{entry.at.microsecond // 1000:03} UTC"
    assert f"<dt>entry</dt><dd>{entry.pk}</dd>" in page and f"<dd>{exact}</dd>" in page
    assert f'href="/audit/?subject={execution.pk}"' in page
    only = world.client("auditor").get(f"/audit/?subject={execution.pk}").content.decode()
    assert "session.login" not in only and str(execution.pk) in only
