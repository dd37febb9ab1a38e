"""What a page may cost: queries of the database and bytes over the wire. All budgets stand here."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cvdops.executions import emergencies, filters, indexing
from cvdops.executions.emergencies import Declaration
from cvdops.executions.models import Execution, StepAttempt
from tests.cast import person
from tests.live.output import attempt, write
from tests.web.access_table import TABLE
from tests.web.world import World

QUERIES = 12
# What every page asks for its frame: the session, its person, their rights, and what waits for them.
FRAME = 4
TRANSFERRED = 60_000  # bytes

HISTORY = 6  # with any filter, whatever is to be said of its rows

# Pages that ask more, and why.
MORE: dict[str, int] = {}

# What is no page of the portal, or answers nothing that is looked at.
NO_PAGES = {"calendar", "execution-events", "healthz", "readyz", "login", "styleguide"}
PAGES = sorted(
    name
    for name, row in TABLE.items()
    if row.get and not row.api and name not in NO_PAGES and 200 in row.get.values()
)

# Other forms of the same pages.
QUERY_STRINGS = {
    "run": "procedure=release",
    "runbook": "version=1",
}
ADDRESSES = [
    "/",
    "/runbooks/",
    "/runbooks/deployment/",
    "/runbooks/deployment/?view=source",
    "/runbooks/deployment/?version=1",
    "/runbooks/deployment/versions/",
    "/runbooks/deployment/compare/",
    "/runbooks/import/",
    "/runbooks/rules/RB101/",
    "/runbooks/deployment/run/?procedure=release",
    "/executions/",
    "/permissions/",
    "/permissions/certification/",
    "/environments/",
    "/environments/development/",
    "/environments/development/hosts/practice/",
    "/contacts/",
    "/audit/",
]


FILTERS = [
    *("", "q=run", "q=%231", "output=needle", "output=nothing", "output=needle&state=running"),
    *("runbook=deployment", "environment=development", "state=waiting", "state=running"),
    *("person=devops-engineer", "person=nobody", "since=2026-01-01", "until=2999-01-01"),
    *("procedure=greet", "host=practice", "variable=PATH", "variable=PATH&value=x"),
    *("emergency=yes", "before=ffffffff-ffff-7fff-8fff-ffffffffffff"),
    "runbook=deployment&environment=development&person=devops-engineer&host=practice&output=needle",
]


def costs(world: World, role: str) -> Iterator[tuple[str, int, int]]:
    """Page by page: its name, how many queries it asks and how many bytes are sent."""
    for number in range(3):
        world.start(reason=f"run {number}")
        world.request()
    client = world.client(role)
    for name in PAGES:
        address = reverse(name, kwargs=world.named(TABLE[name].kwargs))
        address += f"?{QUERY_STRINGS[name]}" if name in QUERY_STRINGS else ""
        client.get(address)  # a document is parsed once per process
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address, headers={"accept-encoding": "gzip"})
        if answer.status_code == 200 and not answer.streaming:
            yield name, len(queries), len(answer.content)


@pytest.mark.parametrize("role", ["operations-lead", "operations-manager", "admin"])
def test_pages_keep_to_their_budgets(role: str, world: World) -> None:
    found = {name: (queries, size) for name, queries, size in costs(world, role)}
    assert {n: q for n, (q, _) in found.items() if q > MORE.get(n, QUERIES)} == {}
    assert {n: size for n, (_, size) in found.items() if size > TRANSFERRED} == {}


@pytest.fixture
def listed(world: World) -> list[Execution]:
    """Executions of which something is to be said: what they wait for, how long they take, what they wrote."""
    made = [world.start(reason=f"run {number}") for number in range(8)]
    past, (unseen, emergency, running) = made[:4], made[5:]  # the fifth is queued
    for one in past:
        succeeded(one)
    standing = {"waiting_for": {"code": "unconfirmed"}, "state_since": Now()}
    Execution.objects.filter(pk=unseen.pk).update(state="waiting", **standing)
    unseen.steps.update(unconfirmed=True, finished_at=Now())
    emergencies.store(
        emergency, person("operations-lead"), Declaration("P1", "It is down.", None, "Now.")
    )
    lease = {"lease_until": Now() + timedelta(hours=1), "started_at": Now()}
    Execution.objects.filter(pk=running.pk).update(state="running", **lease)
    for one in (past[0], running):
        tried = attempt(one, "hello")
        write(one, tried, 0, b"a needle in it\n")
        StepAttempt.objects.filter(pk=tried.pk).update(output_size=15, finished_at=Now())
    while indexing.index_one():
        pass
    return made


def succeeded(execution: Execution) -> None:
    Execution.objects.filter(pk=execution.pk).update(state="succeeded", finished_at=Now())
    execution.steps.update(state="succeeded", started_at=Now(), finished_at=Now(), host="practice")


@pytest.mark.parametrize("kept", [False, True])
def test_the_history_asks_six_times_with_any_filter(
    kept: bool, listed: list[Execution], world: World
) -> None:
    client = world.client("auditor")
    if kept:
        filters.save(person("auditor"), "what failed", "state=failed")
    client.get("/executions/")
    asked = {}
    for query in FILTERS:
        with CaptureQueriesContext(connection) as queries:
            page = client.get(f"/executions/?{query}").content.decode()
        asked[query] = len(queries)
        assert ("what failed" in page) is kept
    assert {query: count for query, count in asked.items() if count > HISTORY} == {}
    assert len(listed) == 8 and page.count("a needle in it") == 2


def test_the_frame_of_a_page_asks_four_times(world: World) -> None:
    world.request()
    world.hold(), world.hold(environment_id=None, runbook="deployment")
    client = world.client("developer")
    address = reverse("rule", kwargs={"code": "RB101"})
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        page = client.get(address).content.decode()
    assert len(queries) == FRAME
    assert page.count("<b>Hold on") == 2 and "Developer" in page


@pytest.mark.parametrize("address", ["/executions/", "/runbooks/deployment/"])
def test_a_long_list_is_small_on_the_wire(address: str, world: World) -> None:
    for number in range(50):
        world.start(reason=f"run {number}")
    answer = world.client("auditor").get(address, headers={"accept-encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert len(answer.content) < TRANSFERRED


def test_rights_are_read_anew_for_every_page(world: World) -> None:
    client = world.client("developer")
    world.start()
    assert client.get("/runbooks/deployment/").status_code == 200
    person("developer").grants.all().delete()
    assert client.get("/runbooks/deployment/").status_code == 404
    assert "no role yet" in client.get("/").content.decode()
