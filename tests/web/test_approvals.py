"""The decision page: what it shows, and what a form has to come from to count."""

import re
from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client

from cvdops.approvals.models import ApprovalRequest, Decision
from cvdops.environments.models import EnvironmentVariable
from cvdops.executions.models import ChecklistMark, StepRun
from tests.cast import person
from tests.web.world import World, nonce


@pytest.fixture
def address(world: World) -> str:
    return f"/approvals/{world.request()}/"


def form(world: World, address: str, client: Client | None = None) -> dict[str, str]:
    """What the page at this address would send."""
    page = (client or world.client("operations-manager")).get(address).content.decode()
    digest = ApprovalRequest.objects.get().plan_digest
    return {"verdict": "approve", "plan_digest": digest, "nonce": nonce(page)}


def sent(world: World, address: str, body: dict[str, str]) -> int:
    return world.client("operations-manager").post(f"{address}decide/", body).status_code


def test_a_decision_counts_once(world: World, address: str) -> None:
    body = form(world, address)
    assert [sent(world, address, body) for _ in range(2)] == [302, 409]
    assert Decision.objects.count() == 1


@pytest.mark.parametrize("mark", ["", "x", "a:b"])
def test_a_form_without_the_mark_of_a_page_counts_nothing(
    mark: str, world: World, address: str
) -> None:
    assert sent(world, address, {**form(world, address), "nonce": mark}) == 409
    assert not Decision.objects.exists()


def test_the_mark_of_another_session_counts_nothing(world: World, address: str) -> None:
    other = Client()
    other.force_login(person("operations-manager"))
    assert sent(world, address, form(world, address, other)) == 409


def test_the_mark_of_another_request_counts_nothing(world: World, address: str) -> None:
    body = form(world, address)
    other = world.request()
    assert sent(world, f"/approvals/{other}/", body) == 409


def test_a_page_that_is_too_old_counts_nothing(
    world: World, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = form(world, address)
    later = signing.time.time() + timedelta(minutes=31).total_seconds()
    monkeypatch.setattr(signing.time, "time", lambda: later)
    assert sent(world, address, body) == 409


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_at_it_decides_nothing(method: str, world: World, address: str) -> None:
    client = world.client("operations-manager")
    for path in (address, f"{address}decide/?verdict=approve"):
        getattr(client, method)(path)
    assert ApprovalRequest.objects.get().state == "open"


def test_a_change_is_shown_and_cannot_be_decided_on(world: World, address: str) -> None:
    body = form(world, address)
    EnvironmentVariable.objects.filter(environment="development", name="SERVICE_NAME").update(
        value="other"
    )
    page = world.client("operations-manager").get(address).content.decode()
    assert "Variable SERVICE_NAME" in page
    assert not nonce(page)
    assert sent(world, address, body) == 409
    assert set(ApprovalRequest.objects.values_list("state", flat=True)) == {"void", "open"}


def test_where_a_policy_asks_for_a_reason_the_form_says_so_and_insists(
    world: World, address: str
) -> None:
    ApprovalRequest.objects.update(reason_required=True)
    body = form(world, address)
    assert "its policy asks for a reason" in page_of(world, address)
    assert sent(world, address, body) == 422
    assert sent(world, address, {**body, "comment": "the fix is tested"}) == 302


def test_an_execution_says_why_it_is_asked_for_anew(world: World, address: str) -> None:
    body = form(world, address)
    EnvironmentVariable.objects.filter(environment="development", name="SERVICE_NAME").update(
        value="other"
    )
    sent(world, address, body)
    execution = ApprovalRequest.objects.latest("created_at").execution_id
    assert "Asked for anew. What would run has changed" in page_of(
        world, f"/executions/{execution}/"
    )
    assert "counts no more" in page_of(
        world, f"/approvals/{ApprovalRequest.objects.latest('created_at').pk}/"
    )


def page_of(world: World, address: str) -> str:
    return " ".join(world.client("operations-manager").get(address).content.decode().split())


def test_it_says_of_the_version_what_the_page_of_the_runbook_says(
    world: World, address: str
) -> None:
    runbook = page_of(world, "/runbooks/deployment/?version=1")
    findings = re.search(r'<span class="nowrap tone-wait">\d+ warnings?</span>', runbook)
    assert findings
    page = page_of(world, address)
    assert f'?version=1#findings">{findings[0]}' in page
    assert "never succeeded in staging" in page
    assert "never succeeded in staging" in runbook


def test_an_output_that_differed_is_told_to_who_decides(world: World, address: str) -> None:
    assert "differs" not in page_of(world, address)
    steps = StepRun.objects.filter(key="say")
    steps.update(state="succeeded", sample="differs", sample_detail="- value is 41 + value is 42")
    page = page_of(world, address)
    said = 'not what the document promises: <a href="#step-2">Say it</a>'
    assert said in page and "- value is 41 + value is 42</pre>" in page
    assert "differs</span>" in page.split('id="step-2"')[1]


def test_what_was_confirmed_before_the_start_is_seen(world: World, address: str) -> None:
    marks = ChecklistMark.objects.filter(execution=ApprovalRequest.objects.get().execution_id)
    marks.filter(position=1).update(
        confirmed_by=person("devops-engineer"), evidence="no backup succeeded within 24 h"
    )
    page = page_of(world, address)
    assert "No backup succeeded within 24 h." in page
    assert f"{person('devops-engineer').name} confirmed it anyway." in page
    assert "of 8 verified by the portal before the start" in page


def test_only_who_decides_here_is_told_so(world: World, address: str) -> None:
    assert "you decide here" in page_of(world, address)
    requester = world.client("devops-engineer").get(address).content.decode()
    assert "you decide here" not in requester
