"""What the pages show and do."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from cvdops.access.policy import Action, can
from cvdops.approvals.queries import get_request
from cvdops.audit.log import record
from cvdops.executions.deciders import gate_of, inbox
from cvdops.executions.models import Execution
from tests.cast import EVERYBODY, person
from tests.web.access_table import AUDITORS, START
from tests.web.test_budgets import ADDRESSES
from tests.web.world import World

RUN = "/runbooks/deployment/run/"


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize("address", ["/", "/runbooks/", "/runbooks/deployment/", "/executions/"])
def test_a_page_is_whole_for_each_role(role: str, address: str, world: World) -> None:
    world.start()
    page = world.client(role).get(address).content.decode()
    assert "</html>" in page
    assert ("Audit</a>" in page) == (role in AUDITORS)


def test_no_page_is_kept_and_none_has_inline_style_or_script(world: World) -> None:
    for address in ADDRESSES:
        answer = world.client("operations-lead").get(address)
        assert answer["Cache-Control"] == "no-store"
        page = answer.content.decode()
        assert " style=" not in page
        assert "<script>" not in page
        assert " onclick=" not in page


def test_the_policy_of_the_pages_allows_nothing_inline(world: World) -> None:
    answer = world.client("operations-lead").get("/")
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_the_catalog_has_the_two_tables(world: World) -> None:
    page = world.client("devops-engineer").get("/runbooks/").content.decode()
    assert page.index("Core operations") < page.index("Emergency response")
    assert "Purpose of deployment" in page


def test_the_catalog_is_searched(world: World) -> None:
    page = world.client("devops-engineer").get("/runbooks/?q=incident").content.decode()
    assert "Purpose of incident-response" in page
    assert "Purpose of deployment" not in page


def test_htmx_gets_only_the_part_that_changes(world: World) -> None:
    answer = world.client("auditor").get("/executions/", headers={"hx-request": "true"})
    assert answer.content.lstrip().startswith(b'<section class="card flush" id="rows"')


def test_who_may_decide_has_it_in_the_inbox_and_nobody_else(world: World) -> None:
    request = get_request(person("auditor"), world.request())
    people = [person(role) for role in EVERYBODY]
    with_it = {user for user in people if request in inbox(user)}
    assert with_it == {u for u in people if can(u, Action.DECIDE, gate_of(request)).allowed}
    assert with_it == {person("operations-manager")}


def test_a_document_cannot_act(world: World) -> None:
    page = world.client("auditor").get("/runbooks/deployment/").content.decode()
    assert "<script>alert" not in page
    assert "About deployment." in page


def test_the_run_button_says_why_it_is_disabled(world: World) -> None:
    page = world.client("developer").get("/runbooks/deployment/").content.decode()
    assert "This needs Execute on deployment; you have Review." in page
    assert f'href="{RUN}"' not in page


def test_an_older_version_can_be_read(world: World) -> None:
    file = world.folder / "deployment.md"
    file.write_text(file.read_text().replace("Purpose of", "New purpose of"))
    world.client("operations-lead").post("/catalog/sync/")
    client = world.client("auditor")
    assert b"You read version" in client.get("/runbooks/deployment/?version=1").content
    assert client.get("/runbooks/deployment/?version=9").status_code == 404


def test_history_is_filtered(world: World) -> None:
    world.start(reason="first reason")
    world.start(procedure="release", variables={"TARGET_VERSION": "v1.0.1"}, reason="second reason")
    client = world.client("auditor")
    for query in ("q=second", "procedure=release", "q=second&person=devops-engineer"):
        page = client.get(f"/executions/?{query}").content.decode()
        assert "second reason" in page
        assert "first reason" not in page


def test_history_bounds_are_whole_days(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    then = timezone.now() - timedelta(days=10)
    monkeypatch.setattr("cvdops.lib.ids.time.time_ns", lambda: int(then.timestamp() * 1e9))
    execution = world.start(reason="long ago")
    Execution.objects.filter(pk=execution.pk).update(created_at=then)
    client = world.client("auditor")
    assert (
        b"long ago"
        in client.get(f"/executions/?since={then:%Y-%m-%d}&until={then:%Y-%m-%d}").content
    )
    assert b"long ago" not in client.get(f"/executions/?since={timezone.now():%Y-%m-%d}").content


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "state=odd",
        "until=9999-12-31",
        "q=%27%22%25_",
        "runbook=nothing",
    ],
)
def test_a_filter_that_cannot_be_read_breaks_nothing(query: str, world: World) -> None:
    assert world.client("auditor").get(f"/executions/?{query}").status_code == 200


def test_history_is_paged_without_gap_or_double(world: World) -> None:
    made = {str(world.start(reason=f"run {n}").pk) for n in range(53)}
    client = world.client("auditor")
    first = client.get("/executions/").context["page"]
    second = client.get(f"/executions/?before={first.next_cursor}").context["page"]
    seen = [str(e.pk) for e in (*first.items, *second.items)]
    assert (len(seen), set(seen)) == (53, made)


def test_contacts_and_environments_are_those_of_the_mission(world: World) -> None:
    client = world.client("developer")
    assert b"mailto:ops-primary@company.com" in client.get("/contacts/").content
    assert b"/opt/cvd/data/cvd.db" in client.get("/environments/staging/").content


def test_the_audit_log_is_filtered(world: World) -> None:
    world.client("developer").get("/audit/")
    client = world.client("auditor")
    assert b"audit.read" in client.get("/audit/?allowed=no").content
    assert b"audit.read" not in client.get("/audit/?allowed=yes").content


def test_an_unknown_id_is_not_found(world: World) -> None:
    address = f"/executions/{uuid.uuid4()}/"
    assert world.client("auditor").get(address).status_code == 404


def test_start_leads_to_the_execution(world: World) -> None:
    answer = world.client("devops-engineer").post(RUN, START)
    execution = Execution.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/executions/{execution.pk}/")
    assert execution.requested_by == person("devops-engineer")


def test_the_audit_page_shows_entries_with_any_names(world: World) -> None:
    record(None, "execution.assist", "step", uuid.uuid4(), data={"items": ["any"], "keys": 1})
    assert "any" in world.client("auditor").get("/audit/").content.decode()
