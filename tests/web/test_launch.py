"""The launch page."""

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone

from cvdops.access.certification import Stage
from cvdops.access.models import MatrixCell
from cvdops.accounts.models import Session
from cvdops.approvals.seed import seed_policies
from cvdops.audit.models import AuditEntry
from cvdops.catalog.sync import sync
from cvdops.environments.models import Environment, Period
from cvdops.executions.models import Execution
from cvdops.spec.lint import lint
from cvdops.spec.parser import parse
from cvdops.web.launch import _findings
from tests.cast import certify, person
from tests.web.access_table import START
from tests.web.world import World

PLAIN = (
    "# T\n\n## Procedures\n\n### One\n```bash\nssh admin@web\n```\n\n### Two\n```bash\nls\n```\n"
)
RUN = "/runbooks/deployment/run/"
RELEASE = {**START, "procedure": "release", "var-TARGET_VERSION": "v1.0.1"}


def test_nothing_is_chosen_for_the_operator(world: World) -> None:
    page = world.client("devops-engineer").get(RUN).content.decode()
    assert "Choose a procedure" in page
    assert "Before the start" not in page


def test_the_plan_shows_commands_values_gates_and_what_undoes_them(world: World) -> None:
    page = world.client("devops-engineer").get(RUN + "?procedure=release").content.decode()
    value = '<span class="is"><span class="visually-hidden"> is </span>cvd</span>'
    assert f'<span class="v">$SERVICE_NAME</span>{value}' in page
    assert "Undone by: Take it back" in page
    assert "Nobody notices." in page


def test_findings_stand_at_the_step_that_they_are_about(world: World) -> None:
    document = parse(PLAIN)
    found = {
        step.id: [d.code for d in _findings(step, lint(document, PLAIN, date(2026, 1, 1)))]
        for step in document.steps
    }
    assert "RB405" in found["one"]
    assert not [code for code in found["two"] if code.startswith("RB4")]


def test_an_empty_field_is_no_error_before_it_was_sent(world: World) -> None:
    page = world.client("devops-engineer").get(RUN + "?procedure=release").content.decode()
    assert "TARGET_VERSION is required" not in page


def test_what_was_typed_is_kept_with_the_error_at_its_field(world: World) -> None:
    body = {**RELEASE, "var-TARGET_VERSION": "not a version", "reason": "because"}
    answer = world.client("devops-engineer").post(RUN, body)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="not a version"' in page
    assert ">because</textarea>" in page
    assert page.count("TARGET_VERSION has to be a version") == 2  # at the field, and at the top
    assert '<a href="#var-TARGET_VERSION">TARGET_VERSION has to be' in page
    assert 'aria-describedby="var-TARGET_VERSION-error var-TARGET_VERSION-hint"' in page
    assert 'aria-invalid="true"' in page
    assert not Execution.objects.exists()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"reason": ""}, "Say why you run it"),
        ({"checklist": []}, "Not confirmed"),
        ({"var-NOBODY_KNOWS": "1"}, "is no variable of this runbook"),
        ({"environment": "staging"}, "has no host yet"),
    ],
)
def test_each_thing_that_is_missing_is_named(
    change: dict[str, object], problem: str, world: World
) -> None:
    answer = world.client("devops-engineer").post(RUN, {**RELEASE, **change})
    assert answer.status_code == 422
    assert problem in answer.content.decode()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"reason": ""}, "reason"),
        ({"checklist": [], "reason": ""}, "check-1"),
        ({"var-X": "1"}, "plan"),
    ],
)
def test_what_was_refused_leads_to_the_first_thing_that_is_wrong(
    change: dict[str, object], place: str, world: World
) -> None:
    page = world.client("devops-engineer").post(RUN, {**RELEASE, **change}).content.decode()
    assert f'<a href="#{place}">' in page and f'id="{place}"' in page


def test_values_are_checked_while_they_are_typed(world: World) -> None:
    client, query = world.client("devops-engineer"), f"{RUN}?procedure=release"
    page = client.get(query).content.decode()
    assert 'hx-trigger="input delay:500ms"' in page
    assert 'hx-select-oob="#var-TARGET_VERSION-error:innerHTML"' in page
    assert "is required" not in client.get(query).content.decode()
    assert "TARGET_VERSION is required" in client.get(f"{query}&sent=yes").content.decode()


def test_a_protected_environment_asks_for_its_name(world: World) -> None:
    Environment.objects.filter(pk="development").update(protected=True)
    client = world.client("devops-engineer")
    assert client.post(RUN, RELEASE).status_code == 422
    named = {**RELEASE, "confirm_environment": "development"}
    assert client.post(RUN, named).status_code == 302


def test_a_double_press_starts_once(world: World) -> None:
    client = world.client("devops-engineer")
    first, second = (client.post(RUN, {**RELEASE, "key": "k1"}) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Execution.objects.count() == 1


def test_a_secret_is_not_sent_back(world: World) -> None:
    body = {**RELEASE, "reason": "", "var-TOKEN": "hush-hush"}
    answer = world.client("devops-engineer").post(RUN, body)
    assert answer.status_code == 422
    assert b"hush-hush" not in answer.content


@pytest.mark.parametrize("query", ["procedure=nothing", "procedure=greet&environment=moon"])
def test_an_unknown_choice_is_a_clear_error(query: str, world: World) -> None:
    answer = world.client("devops-engineer").get(f"{RUN}?{query}")
    assert answer.status_code == 422


def test_who_may_not_start_sees_the_plan_and_the_reason(world: World) -> None:
    page = world.client("auditor").get(RUN + "?procedure=greet").content.decode()
    assert "you have Review." in page
    assert "echo hello" in page


def test_what_was_typed_is_kept_also_by_who_may_not_start(world: World) -> None:
    answer = world.client("auditor").post(RUN, {**RELEASE, "reason": "It was on fire"})
    assert answer.status_code == 403
    html = answer.content.decode()
    assert "It was on fire" in html and "you have Review." in html
    assert AuditEntry.objects.latest("id").allowed is False


def test_a_value_stays_a_value(world: World) -> None:
    body = {**RELEASE, "reason": "<b>bold</b>", "var-TARGET_VERSION": '"><script>x</script>'}
    page = world.client("devops-engineer").post(RUN, body).content.decode()
    assert "<script>x" not in page
    assert "<b>bold" not in page


def test_the_impact_names_the_hosts_of_the_plan_alone(world: World) -> None:
    environment = Environment.objects.get(slug="development")
    environment.hosts.filter(default=True).delete()
    environment.hosts.create(name="right-here", transport="local", default=True)
    environment.hosts.create(name="elsewhere", transport="local")
    url = f"{RUN}?procedure=release&environment=development"
    page = world.client("devops-engineer").get(url).content.decode()
    assert "<dt>Hosts</dt><dd><code>right-here</code> </dd>" in page


def text_of(world: World, query: str = "procedure=release", role: str = "devops-engineer") -> str:
    return " ".join(world.client(role).get(f"{RUN}?{query}").content.decode().split())


def test_the_impact_says_what_else_goes_on_there_and_how_it_went(world: World) -> None:
    assert "nothing else goes on in development" in text_of(world)
    assert "never run here" in text_of(world)
    assert "not known: never run here; the document says 5-10 min" in text_of(world)
    now = timezone.now()
    for minutes in (1, 2, 3):
        execution = world.start(runbook="deployment", procedure="greet")
        Execution.objects.filter(pk=execution.pk).update(
            state="succeeded", started_at=now - timedelta(minutes=minutes), finished_at=now
        )
        execution.steps.update(started_at=now - timedelta(minutes=minutes), finished_at=now)
    other = world.start(runbook="security-audit", by="security-admin")
    page = text_of(world, "procedure=greet", "operations-lead")
    assert f"Security audit #{other.number}</a>, Security-Admin: queued" in page
    assert page.count("</a> succeeded, ") == 3
    assert "2 min as a rule, 3 min at most in 90&nbsp;% of 3 runs" in page


def test_the_impact_names_nothing_that_does_not_exist_for_the_reader(world: World) -> None:
    other = world.start(runbook="security-audit", by="security-admin")
    MatrixCell.objects.filter(role="developer", category="security").update(level=0)
    other.locks.create(environment_id="development", name="cvd")
    file = world.folder / "deployment.md"
    file.write_text(file.read_text().replace("variables:\n", "locks: [cvd]\nvariables:\n"))
    world.client("operations-lead").post("/catalog/sync/")
    page = text_of(world, role="developer")
    assert '<code>cvd</code>: <span class="tone-wait">held by another execution</span>' in page
    assert "Security audit" not in page and "nothing else goes on in development" in page
    assert f"Security audit #{other.number}</a></span>" in text_of(world, role="operations-lead")


def test_a_step_that_is_not_destructive_is_undone_by_nothing_on_any_page(world: World) -> None:
    file = world.folder / "deployment.md"
    file.write_text(file.read_text().replace("destructive rollback=unsay", "rollback=unsay"))
    world.client("operations-lead").post("/catalog/sync/")
    page = text_of(world)
    assert "Undone by" not in page and "1 rollback step" not in page
    assert "no step is marked as destructive</dd>" in page
    assert "no step of this plan is marked as destructive" in page
    assert "names a rollback step, which never runs" in page


def test_the_impact_says_from_where_there_is_no_way_back(world: World) -> None:
    assert "every destructive step can be undone" in text_of(world)
    assert "no step is marked as destructive" in text_of(world, "procedure=greet")
    file = world.folder / "deployment.md"
    file.write_text(file.read_text().replace(" rollback=unsay", ""))
    world.client("operations-lead").post("/catalog/sync/")
    assert "from step 2 on</span>: nothing undoes “Say it”" in text_of(world)


def test_the_impact_names_the_services_that_commands_control(world: World) -> None:
    file = world.folder / "deployment.md"
    restart = 'sudo systemctl restart "$SERVICE_NAME"\nsystemctl is-active postgres\nsystemctl reload nginx'
    file.write_text(file.read_text().replace("echo hello", restart))
    world.client("operations-lead").post("/catalog/sync/")
    page = text_of(world, "procedure=greet")
    assert "<dt>Services</dt><dd><code>cvd</code> <code>nginx</code> </dd>" in page


def test_it_says_which_approvals_a_start_needs(world: World) -> None:
    seed_policies()
    page = world.client("devops-engineer").get(f"{RUN}?procedure=greet&environment=production")
    text = " ".join(page.content.decode().split())
    assert "<b>Approval to start</b>: 1 of Operations Manager, within 4" in text
    assert "production × deployment, always (version 1)" in text


@pytest.fixture
def closed(world: World) -> World:
    """Development, as an environment whose window is not open now: two hours, twelve hours from now."""
    later = timezone.now() + timedelta(hours=12)
    world.window(starts_at=later, rule="FREQ=DAILY")
    return world


def test_a_start_outside_the_window_is_refused_and_offered_the_next(closed: World) -> None:
    answer = closed.client("devops-engineer").post(RUN, RELEASE)
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "development is changed in its maintenance windows only. The next window" in page
    assert "Start in the next window" in page
    assert 'value="v1.0.1"' in page  # nothing that was typed is lost
    assert not Execution.objects.exists()


def test_a_start_waits_for_the_next_window(closed: World) -> None:
    answer = closed.client("devops-engineer").post(RUN, {**RELEASE, "start": "window"})
    assert answer.status_code == 302
    opens = Execution.objects.get().opens_at
    assert timedelta(hours=11) < opens - timezone.now() < timedelta(hours=13)
    page = closed.client("devops-engineer").get(answer.url).content.decode()
    assert "Begins <time" in page
    address = f"/api/v1{answer.url}".rstrip("/")
    assert (
        closed.client("devops-engineer")
        .get(address)
        .json()["opens_at"]
        .startswith(f"{opens:%Y-%m-%dT%H:%M}")
    )


def test_its_page_and_the_api_tell_when_it_begins_by_the_windows_as_they_are(
    closed: World,
) -> None:
    answer = closed.client("devops-engineer").post(RUN, {**RELEASE, "start": "window"})
    later = timezone.now().replace(second=0, microsecond=0) + timedelta(hours=20)
    Period.objects.update(starts_at=later, rule="")
    page = closed.client("devops-engineer").get(answer.url).content.decode()
    assert f'Begins <time datetime="{later:%Y-%m-%dT%H:%M}Z"' in page
    address = f"/api/v1{answer.url}".rstrip("/")
    told = closed.client("devops-engineer").get(address).json()
    assert told["opens_at"] == f"{later:%Y-%m-%dT%H:%M:%SZ}"
    Period.objects.update(starts_at=timezone.now() - timedelta(days=2))
    page = closed.client("devops-engineer").get(answer.url).content.decode()
    assert "<b>No window is planned</b> in which it could begin" in page


def test_who_needs_a_supervisor_can_ask_somebody_at_once(world: World) -> None:
    certify(person("devops-engineer"), Stage.SUPERVISED)
    page = world.client("devops-engineer").get(f"{RUN}?procedure=greet").content.decode()
    assert "joined as supervisor" in page
    assert "Ask for help</summary>" in page


def test_what_changes_nothing_starts_at_any_time(closed: World) -> None:
    page = closed.client("devops-engineer").get(f"{RUN}?procedure=greet").content.decode()
    assert "No step of this procedure is marked as destructive, so windows do not bind it." in page
    assert closed.client("devops-engineer").post(RUN, START).status_code == 302


def test_work_that_may_not_fit_says_so(world: World) -> None:
    world.window(starts_at=timezone.now() - timedelta(minutes=1), minutes=15, rule="")
    page = world.client("devops-engineer").get(f"{RUN}?procedure=release").content.decode()
    assert "It may not fit into the window." in page  # 10 minutes, and as much to roll back
    world.window(starts_at=timezone.now(), minutes=300, rule="", name="Long")
    page = world.client("devops-engineer").get(f"{RUN}?procedure=release").content.decode()
    assert "rolling back 10 min more: it fits." in page


EMERGENCY = {
    **RELEASE,
    "emergency": "yes",
    "priority": "P2",
    "emergency_reason": "The service is down.",
    "short_notice": "It broke a minute ago.",
}


def test_an_emergency_is_declared_on_the_page(closed: World) -> None:
    lead = closed.client("operations-lead")
    page = lead.get(f"{RUN}?procedure=release&environment=development").content.decode()
    assert "It cannot wait: it is an emergency" in page
    page = lead.get(f"{RUN}?procedure=release&environment=development&emergency=yes")
    assert "Why can it not wait for the window?" in page.content.decode()
    assert lead.post(RUN, EMERGENCY).status_code == 302
    execution = Execution.objects.get()
    shown = lead.get(f"/executions/{execution.pk}/").content.decode()
    assert "<b>Emergency P2</b>, medium, declared by" in shown and "The service is down." in shown


def test_an_emergency_keeps_what_was_typed_and_says_what_is_missing(closed: World) -> None:
    missing = {**EMERGENCY, "short_notice": "", "priority": ""}
    answer = closed.client("operations-lead").post(RUN, missing)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Say how urgent it is" in page and "service failures. An answer: 4 hours" in page
    assert "They were not told two hours ago" in page and "The service is down.</text" in page


def test_an_emergency_asks_for_the_password_again(closed: World) -> None:
    lead = closed.client("operations-lead")
    Session.objects.update(proved_at=timezone.now() - timedelta(hours=1))
    answer = lead.post(RUN, EMERGENCY)
    assert answer.status_code == 403 and "Is it you?" in answer.content.decode()
    assert not Execution.objects.exists()


def test_a_dry_run_is_made_at_any_time(closed: World) -> None:
    answer = closed.client("devops-engineer").post("/runbooks/deployment/dry-run/", RELEASE)
    assert answer.status_code == 302


def test_a_plan_that_nobody_has_seen_is_not_started(world: World) -> None:
    client = world.client("devops-engineer")
    page = client.get(RUN + "?procedure=greet&environment=development").content.decode()
    shown = re.search(r'name="shown" value="([0-9]+)"', page)[1]
    document = world.folder / "deployment.md"
    document.write_text(document.read_text().replace("echo hello", "echo goodbye"))
    sync(world.folder)
    answer = client.post(RUN, {**START, "reason": "as seen", "shown": shown})
    again = answer.content.decode()
    assert answer.status_code == 422 and not Execution.objects.exists()
    assert "The runbook has changed since its plan was shown" in again
    assert "as seen" in again and "goodbye" in again
    now = re.search(r'name="shown" value="([0-9]+)"', again)[1]
    assert client.post(RUN, {**START, "shown": now}).status_code == 302
