"""The history: its filters, those that people keep, the files, two side by side, and the evidence of one."""

import csv
import io
import json
import re
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.db import connections
from django.db.models.functions import Now
from django.test import AsyncClient
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from cvdops.access.models import MatrixCell, RoleGrant
from cvdops.access.seed import ROLES
from cvdops.audit.models import AuditEntry
from cvdops.executions import history, queues, records
from cvdops.executions.history import Wanted, matching, places
from cvdops.executions.models import Event, Execution, SavedFilter, StepRun
from cvdops.executions.queries import visible_to
from cvdops.lib.errors import NotFound
from cvdops.live.answers import WITHHELD
from tests.cast import OUTSIDER, person
from tests.web.world import World

LIST = "/executions/"


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file closes the connections of its thread, which here is that of the test."""
    monkeypatch.setattr(connections, "close_all", lambda: None)


def shown(world: World, query: str, role: str = "auditor") -> set[int]:
    """The numbers of the executions on the page."""
    page = world.client(role).get(f"{LIST}?{query}").content.decode()
    return {int(number) for number in re.findall(r'id="run-(\d+)"', page)}


def file(kind: str, query: str = "", role: str = "auditor") -> str:
    reader = person(role)

    @async_to_sync
    async def read() -> bytes:
        client = AsyncClient()
        await client.aforce_login(reader)
        answer = await client.get(f"{LIST}export/{kind}/?{query}")
        assert answer.status_code == 200
        return b"".join([part async for part in answer.streaming_content])

    return read().decode()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("runbook=deployment", True),
        ("runbook=security-audit", False),
        ("procedure=release", True),
        ("procedure=greet", False),
        ("environment=development", True),
        ("environment=production", False),
        ("state=queued", True),
        ("state=failed", False),
        ("person=devops-engineer", True),
        ("person=nobody", False),
        ("host=practice", True),
        ("host=elsewhere", False),
        ("variable=TARGET_VERSION", True),
        ("variable=TARGET_VERSION&value=v1.0.1", True),
        ("variable=TARGET_VERSION&value=v1", False),
        ("variable=NOTHING", False),
        ("emergency=yes", False),
        ("q=ticket", True),
        ("q=TICKET+urgent", True),
        ("q=tick", False),
        ("q=Deploy", True),
        ("q=%23NUMBER", True),
        ("q=NUMBER", True),
        ("since=2000-01-01&until=2100-01-01", True),
        ("until=2000-01-01", False),
        ("output=anything", False),
        ("output=%E2%80%A2%E2%80%A2", False),
    ],
)
def test_each_filter_finds_what_fits(query: str, fits: bool, world: World) -> None:
    variables = {"TARGET_VERSION": "v1.0.1"}
    one = world.start(procedure="release", variables=variables, reason="an urgent ticket")
    StepRun.objects.filter(execution=one, key="say").update(host="practice")
    query = query.replace("NUMBER", str(one.number))
    assert shown(world, query) == ({one.number} if fits else set())


def test_a_page_of_it_asks_six_times(
    world: World, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    Execution.objects.filter(pk=world.start().pk).update(state="waiting")
    client = world.client("auditor")
    for query in ("", "state=waiting&host=practice&variable=PATH&emergency=yes&q=1"):
        with django_assert_max_num_queries(6):
            client.get(f"{LIST}?{query}")


def test_emergencies_are_found(world: World) -> None:
    world.start()
    declared = world.emergency()
    assert shown(world, "emergency=yes") == {declared.number}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("state=failing", 'State <code class="break">failing</code>: There is no such choice.'),
        ("runbook=none", 'Runbook <code class="break">none</code>: There is no such choice.'),
        ("since=31.02.", 'Since <code class="break">31.02.</code>: This is no day.'),
        ("status=failed", 'status <code class="break">failed</code>: No filter is called so.'),
        ("state=failed&state=queued", 'State <code class="break">failed</code>: It was given more'),
        ("emergency=%3Cb%3E", 'Emergencies <code class="break">&lt;b&gt;</code>: There is no such'),
        ("value=x", 'Its value <code class="break">x</code>: Name the variable, too.'),
    ],
)
def test_a_filter_that_is_not_understood_is_said_to_be_left_out(
    query: str, said: str, world: World
) -> None:
    one = world.start()
    for headers in ({}, {"HX-Request": "true", "HX-Trigger": "rows"}):
        page = world.client("auditor").get(f"{LIST}?{query}", headers=headers).content.decode()
        assert "1 filter left out." in page and said in page
        assert "All that you may see" not in page
        assert f'id="run-{one.number}"' in page
    assert world.client("auditor").get(f"{LIST}export/csv/?{query}").status_code == 422


def test_filters_that_are_understood_leave_nothing_out(world: World) -> None:
    queries = ("", "state=&q=", "before=", "state=queued&since=2026-11-01&emergency=yes&person=x")
    for query in queries:
        assert b"left out" not in world.client("auditor").get(f"{LIST}?{query}").content


@pytest.mark.parametrize("address", ["/audit/?since=soon", "/runbooks/?category=none"])
def test_other_lists_say_so_too(address: str, world: World) -> None:
    assert b"1 filter left out." in world.client("auditor").get(address).content


@pytest.mark.parametrize("cell", [0, 10])
@pytest.mark.parametrize("environment", [None, "development"])
def test_it_shows_what_the_policy_shows(cell: int, environment: str | None, world: World) -> None:
    for runbook in ("deployment", "security-audit"):
        world.start(by="operations-lead", runbook=runbook)
    user = person("auditor", "dana", environment=environment)
    MatrixCell.objects.filter(role="auditor", category="security").update(level=cell)
    seen = set(visible_to(user).values_list("pk", flat=True))
    assert {one.pk for one in history.page(user, Wanted()).items} == seen
    assert len(seen) == (2 if cell else 1)


def test_who_sees_nothing_is_shown_nothing(world: World) -> None:
    world.start()
    assert shown(world, "", OUTSIDER) == set()
    assert json.loads(file("json", role=OUTSIDER)) == {"items": []}
    assert not matching(person(OUTSIDER), Wanted(), places(person(OUTSIDER))).exists()


def test_no_row_says_running_after_its_heartbeat(world: World) -> None:
    one = world.start()
    running = Execution.objects.filter(pk=one.pk)
    running.update(state="running", lease_owner="w", lease_until=Now() + timedelta(seconds=15))
    page = world.client("auditor").get(LIST).content.decode()
    assert "Not heard of" not in page
    running.update(lease_until=Now() - timedelta(seconds=1))
    page = world.client("auditor").get(LIST).content.decode()
    assert "Not heard of" in page and "No worker serves" in page
    queues.seen("another", [one.environment.queue])
    page = world.client("auditor").get(LIST).content.decode()
    assert "Not heard of" in page and "no worker holds it now" in page


def test_a_step_that_takes_unusually_long_is_marked(world: World) -> None:
    before = [world.start() for _ in range(6)]
    one, heard = world.start(), {"lease_owner": "w", "lease_until": Now() + timedelta(hours=1)}
    ended = {"state": "succeeded", "finished_at": Now()}
    Execution.objects.filter(pk__in=[e.pk for e in before]).update(**ended)
    took = {"started_at": Now() - timedelta(minutes=1), "finished_at": Now(), "attempt_count": 1}
    StepRun.objects.exclude(execution=one).update(state="succeeded", **took)
    Execution.objects.filter(pk=one.pk).update(state="running", started_at=Now(), **heard)
    running = StepRun.objects.filter(execution=one, key="hello")
    for minutes, marked in ((0.5, False), (2, True)):
        running.update(state="running", started_at=Now() - timedelta(minutes=minutes))
        page = world.client("auditor").get(LIST).content.decode()
        assert ("takes longer than usual" in page) is marked


def test_a_filter_is_kept_shown_and_removed(world: World) -> None:
    client = world.client("auditor")
    query = "state=failed&before=x&unknown=1"
    answer = client.post(reverse("filter-save"), {"name": " What  failed ", "query": query})
    assert answer["Location"] == f"{LIST}?state=failed"
    kept = SavedFilter.objects.get()
    assert (kept.name, kept.query) == ("What failed", "state=failed")
    assert 'href="/executions/?state=failed" aria-current' in client.get(
        f"{LIST}?state=failed"
    ).content.decode().replace("\n", "")
    client.post(reverse("filter-remove", args=[kept.pk]))
    assert not SavedFilter.objects.exists()
    actions = AuditEntry.objects.filter(subject="filter").values_list("action", flat=True)
    assert sorted(actions) == ["filter.remove", "filter.save"]


def test_a_kept_filter_is_theirs_alone(world: World) -> None:
    world.client("auditor").post(reverse("filter-save"), {"name": "mine", "query": "state=failed"})
    kept = SavedFilter.objects.get()
    other = world.client("developer")
    assert other.post(reverse("filter-remove", args=[kept.pk])).status_code == 404
    assert "mine" not in other.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("name", "query"), [("", "state=failed"), ("x" * 61, "state=failed"), ("all", "")]
)
def test_a_filter_that_says_nothing_is_not_kept(name: str, query: str, world: World) -> None:
    client = world.client("auditor")
    assert client.post(reverse("filter-save"), {"name": name, "query": query}).status_code == 302
    assert not SavedFilter.objects.exists()


def test_the_same_name_is_the_same_filter(world: World) -> None:
    for query in ("state=failed", "state=expired"):
        world.client("auditor").post(reverse("filter-save"), {"name": "mine", "query": query})
    assert SavedFilter.objects.get().query == "state=expired"


def test_the_file_has_what_fits_oldest_first(world: World) -> None:
    first, second = world.start(reason="one"), world.start(reason="two")
    found = rows(file("csv", "runbook=deployment"))
    assert [row["id"] for row in found] == [str(first.pk), str(second.pk)]
    assert [row["number"] for row in rows(file("csv", "q=two"))] == [str(second.number)]
    items = json.loads(file("json"))["items"]
    assert [item["reason"] for item in items] == ["one", "two"]
    assert items[0]["variables"]["SERVICE_NAME"] == "cvd"


def test_no_cell_of_it_is_a_formula(world: World) -> None:
    for reason in ("=cmd()", "+1", "@x", "-1"):
        world.start(reason=reason)
    assert all(row["reason"].startswith("'") or not row["reason"] for row in rows(file("csv")))


def test_it_is_read_in_parts_and_rights_are_asked_each_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "PART", 2)
    for _ in range(5):
        world.start()
    assert len(rows(file("csv"))) == 5
    read = records.executions(person("auditor"), Wanted(), "csv", "")
    part, position = read(0)
    assert len(part) == 2
    RoleGrant.objects.update(ends_at=Now() - timedelta(seconds=1))
    assert read(position)[0] == []


def test_a_closed_account_gets_no_more_of_it(world: World) -> None:
    world.start()
    user = person("auditor")
    user.is_active = False
    user.save()
    with pytest.raises(NotFound):
        records.executions(user, Wanted(), "csv", "")(0)


def test_who_exports_executions_is_an_entry(world: World) -> None:
    file("csv", "state=failed")
    entry = AuditEntry.objects.get(action="execution.export")
    assert (entry.actor, entry.data) == (person("auditor"), {"query": "state=failed"})


def test_two_are_compared_by_number_or_id(world: World) -> None:
    one = world.start(reason="one")
    two = world.start(procedure="release", variables={"TARGET_VERSION": "v1.0.1"}, reason="two")
    for first, second in ((f"%23{one.number}", two.pk), (two.number, one.pk)):
        page = world.client("auditor").get(f"{LIST}compare/?run={first}&run={second}")
        text = page.content.decode()
        assert f"<h1>#{one.number} and #{two.number}</h1>" in text
        assert "v1.0.1" in text and "not there" in text
        before, after = text.index(">one<"), text.index(">two<")
        assert text.index(">before<") < before < text.index(">after<") < after


@pytest.mark.parametrize("query", ["", "run=", "run=1&run=2&run=3"])
def test_without_two_it_asks_for_them(query: str, world: World) -> None:
    page = world.client("auditor").get(f"{LIST}compare/?{query}")
    assert (page.status_code, b"Compare two executions" in page.content) == (200, True)


def test_of_one_it_offers_those_before_it(world: World) -> None:
    one, two = world.start(), world.start()
    page = world.client("auditor").get(f"{LIST}compare/?run={two.number}").content.decode()
    assert f"?run={one.number}&amp;run={two.number}" in page


@pytest.mark.parametrize("role", ["auditor", OUTSIDER])
def test_what_is_hidden_is_compared_with_nothing(role: str, world: World) -> None:
    mine = world.start()
    hidden = world.start(by="operations-lead", runbook="security-audit")
    person("auditor")
    MatrixCell.objects.filter(role="auditor", category="security").update(level=0)
    client, answers = world.client(role), set()
    for number in (hidden.number, hidden.number + 1000, hidden.pk, "0" * 30, "x"):
        answer = client.get(f"{LIST}compare/?run={mine.number}&run={number}")
        answers.add((answer.status_code, answer.content.decode().count("security")))
    assert answers == {(404, 0)}


def test_the_evidence_has_who_what_and_digests(world: World) -> None:
    request = world.request()
    one = Execution.objects.get()
    step = one.steps.get(key="say")
    step.attempts.create(
        number=1, state="succeeded", spool="s", boot_id="b", output_size=6, output_digest="ab" * 32
    )
    text = world.client("auditor").get(f"{LIST}{one.pk}/evidence/").content.decode()
    for said in (
        str(one.pk),
        one.plan_digest,
        one.version.content_hash,
        "Devops-Engineer (devops-engineer)",
        "6 bytes, SHA-256",
        "ab" * 32,
        "It is not over",
        "started it",
        "Before the start",
    ):
        assert said in text, said
    assert request


def test_the_evidence_names_everybody_who_did_something(world: World) -> None:
    one = world.start()
    say = one.steps.get(key="hello")
    lead = person("operations-lead")
    for seq, (kind, step) in enumerate([("step.retry", say), ("step.retry", say), ("note", None)]):
        Event.objects.create(execution=one, seq=100 + seq, kind=kind, step=step, actor=lead)
    text = world.client("auditor").get(f"{LIST}{one.pk}/evidence/").content.decode()
    people = text.split("<h2>People</h2>")[1].split("</ul>")[0]
    assert "Devops-Engineer (devops-engineer), operator from" in people
    assert "(operations-lead): retried “greet” (2 times); wrote a note" in people.lower()


def test_the_evidence_has_what_was_expected_and_how_it_differs(world: World) -> None:
    one = world.start()
    step = StepRun.objects.filter(execution=one, key="hello")
    address = f"{LIST}{one.pk}/evidence/"
    for sample, said in (("kept", "kept"), ("differs", "differs"), ("not_comparable", "not comp")):
        step.update(sample=sample, sample_detail=f"- hello\n+ {sample} <b>", state="succeeded")
        text = world.client("auditor").get(address).content.decode()
        assert f"{said}" in text.split("Expected output:")[1]
        assert f"- hello\n+ {sample} &lt;b&gt;</pre>" in text
    step.update(kind="http")  # as if it had come back to a request
    text = world.client("auditor").get(address).content.decode()
    assert "+ not_comparable" not in text and WITHHELD in text
    assert "+ not_comparable" in world.client("devops-engineer").get(address).content.decode()


def test_roles_of_the_seed_all_get_their_history(world: World) -> None:
    one = world.start()
    for role, *_ in ROLES:
        seen = visible_to(person(role)).filter(pk=one.pk).exists()
        assert (one.number in shown(world, "", role)) == seen


def test_other_filters_bring_the_way_to_keep_and_to_remove_them(world: World) -> None:
    client = world.client("auditor")
    chosen = client.get(f"{LIST}?state=failed", headers={"HX-Request": "true"}).content.decode()
    assert 'id="saved" hx-swap-oob="true"' in chosen and "Keep this filter" in chosen
    by_itself = {"HX-Request": "true", "HX-Trigger": "rows"}
    later = client.get(f"{LIST}?state=failed", headers=by_itself).content.decode()
    assert 'id="rows"' in later and 'id="saved"' not in later
