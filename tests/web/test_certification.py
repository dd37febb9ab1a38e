"""The pages of the onboarding ladder, and what training changes on the others."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from cvdops.access.certification import Stage
from cvdops.executions import assessments
from cvdops.executions.models import Execution
from cvdops.notifications.models import Notice
from tests.cast import certify, person
from tests.web.access_table import START
from tests.web.world import World

RUN = "/runbooks/deployment/run/"
LADDER = "/permissions/certification/"


def test_one_reads_what_leads_further(world: World) -> None:
    certify(person("developer"), Stage.SHADOW)
    page = world.client("developer").get(f"{LADDER}developer/").content.decode()
    assert "What leads to “Week 2: under supervision”" in page
    assert "Watched an execution of somebody experienced" in page
    assert "Grant a rung" not in page


def test_a_lead_grants_and_reads_what_was_seen(world: World) -> None:
    certify(person("developer"), Stage.SHADOW)
    client = world.client("operations-lead")
    refused = client.post(f"{LADDER}developer/grant/", {"stage": "3", "note": ""})
    assert refused.status_code == 422 and b"Say why" in refused.content
    client.post(f"{LADDER}developer/grant/", {"stage": "3", "note": "did it elsewhere"})
    page = client.get(f"{LADDER}developer/").content.decode()
    assert (
        "did it elsewhere" in page
        and "Watched an execution of somebody experienced: 0 of 1" in page
    )


def test_expired_is_said_to_whom_it_is(world: World) -> None:
    certify(person("developer"), until=datetime(2025, 1, 1, tzinfo=UTC))
    page = world.client("developer").get(f"{LADDER}developer/").content.decode()
    assert "the annual assessment is due" in page
    assert "expired</span>" in world.client("auditor").get(LADDER).content.decode()


def test_who_is_to_be_assessed_soon_is_told_once_and_finds_it_at_home(world: World) -> None:
    soon = timezone.now() + timedelta(days=20)
    certify(person("developer"), until=soon)
    certify(person("system-admin"), until=soon + timedelta(days=30))
    lead = person("operations-lead")
    for _ in range(2):
        assessments.remind()
    [notice] = Notice.objects.all()
    assert (notice.user, f"ends on {soon:%Y-%m-%d}" in notice.text) == (person("developer"), True)
    assert notice.path == f"{LADDER}developer/"
    assert 'id="my-assessment"' in world.client("developer").get("/").content.decode()
    assert 'id="my-assessment"' not in world.client("system-admin").get("/").content.decode()
    assert "<b>Assess Developer</b>" in world.client("operations-lead").get("/").content.decode()
    certify(person("developer"))
    assert 'id="to-assess"' not in world.client("operations-lead").get("/").content.decode()
    assert not Notice.objects.filter(user=lead).exists()


def test_a_trainee_reads_at_the_start_what_is_needed_and_who_may_help(world: World) -> None:
    certify(person("devops-engineer"), Stage.SUPERVISED)
    client = world.client("devops-engineer")
    assert "joined as supervisor" in client.get(f"{RUN}?procedure=greet").content.decode()
    execution = Execution.objects.get(pk=client.post(RUN, START)["Location"].split("/")[2])
    assert execution.state == "pending"
    page = client.get(f"/executions/{execution.pk}/").content.decode()
    assert "Somebody certified joins as supervisor; then it begins" in page
    lead = world.client("operations-lead")
    assert (
        "Devops-Engineer needs a supervisor"
        in lead.get(f"/executions/{execution.pk}/").content.decode()
    )
    assert "needs a supervisor" not in page
    assert "Supervise: Deployment" in lead.get("/").content.decode()
    assert "Supervise: Deployment" not in world.client("system-admin").get("/").content.decode()
    lead.post(f"/executions/{execution.pk}/join/", {"part": "supervisor"})
    execution.refresh_from_db()
    assert execution.state == "queued"


def test_a_shadow_reads_why_nothing_starts(world: World) -> None:
    certify(person("devops-engineer"), Stage.SHADOW)
    page = world.client("devops-engineer").get(f"{RUN}?procedure=greet").content.decode()
    assert "You are at “Week 1: shadow”" in page


def test_the_people_of_an_execution_are_on_its_page(world: World) -> None:
    execution = world.start()
    client = world.client("operations-lead")
    client.post(f"/executions/{execution.pk}/join/", {"part": "observer"})
    page = client.get(f"/executions/{execution.pk}/").content.decode()
    assert "Who takes part" in page and "Leave</button>" in page and "Hand over…" in page
    assert (
        "Hand over…"
        not in world.client("auditor").get(f"/executions/{execution.pk}/").content.decode()
    )


@pytest.mark.parametrize("role", ["auditor", "admin", "developer", "operations-lead"])
def test_every_name_that_is_a_link_leads_somewhere(role: str, world: World) -> None:
    person("devops-engineer")
    client = world.client(role)
    links = set(
        re.findall(
            r'href="(/permissions/certification/[^"]+/)"', client.get(LADDER).content.decode()
        )
    )
    assert (len(links) > 1) == (role != "developer")
    assert [client.get(link).status_code for link in links] == [200] * len(links)
