"""What the policy would answer somebody else, elsewhere, at another time."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings

from cvdops.access import rules
from cvdops.access.certification import Stage
from cvdops.access.delegations import delegate
from cvdops.access.models import MatrixCell, RoleGrant
from cvdops.access.policy import Action, Subject
from cvdops.access.standing import Standing
from cvdops.access.subjects import LOGGED_IN
from cvdops.access.words import WORDS, of
from cvdops.approvals.models import ApprovalRequest
from cvdops.executions.services import decide
from cvdops.executions.whatif import question
from tests.access.standings import questions, standings
from tests.cast import certify, person
from tests.web.world import World

HOUR = timedelta(hours=1)
PAGE = "/permissions/what-if/"
START = {"person": "developer", "runbook": "deployment", "action": "execution.start"}


@pytest.fixture
def reader(world: World) -> Client:
    person("developer")
    return world.client("auditor")


def answer(client: Client, **asked: str) -> str:
    page = client.get(PAGE, asked).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page[page.index('id="answer"') :]))


def test_a_refusal_names_the_cell_the_environment_and_the_way_further(reader: Client) -> None:
    said = answer(reader, **START, environment="staging")
    assert "start it No This needs Execute on deployment in staging; Developer has Review." in said
    assert "Ask somebody with Execute on deployment" in said


def test_another_person_gets_another_answer(reader: Client) -> None:
    person("devops-engineer")
    assert "start it Yes" in answer(reader, **{**START, "person": "devops-engineer"})


def test_another_environment_does(reader: Client) -> None:
    RoleGrant.objects.create(
        user=person("developer"), role_id="devops-engineer", environment_id="staging"
    )
    assert "start it Yes" in answer(reader, **START, environment="staging")
    assert "start it No" in answer(reader, **START, environment="production")


def test_another_time_does(reader: Client) -> None:
    begins = timezone.now() + timedelta(days=1)
    RoleGrant.objects.create(user=person("developer"), role_id="devops-engineer", starts_at=begins)
    later = f"{begins + timedelta(hours=1):%Y-%m-%dT%H:%M}"
    assert "start it No" in answer(reader, **START)
    assert "start it Yes" in answer(reader, **START, at=later)


def test_the_way_of_starting_counts(world: World, reader: Client) -> None:
    world.window("staging")  # Sundays from 02:00 to 04:00 UTC
    person("operations-lead")
    monday = {"person": "operations-lead", "environment": "staging", "at": "2027-02-08T03:00"}
    assert "start it No" in answer(reader, **{**START, **monday})
    assert "start it Yes" in answer(reader, **{**START, **monday}, way="read-only")


def test_everything_of_the_policy_can_be_asked_for() -> None:
    free = {*LOGGED_IN, Action.PUBLIC}
    assert set(WORDS) == set(Action) - free


def test_a_runbook_that_does_not_exist_for_the_reader_cannot_be_asked_for(
    world: World, reader: Client
) -> None:
    MatrixCell.objects.filter(role="auditor", category="security").update(level=0)
    assert reader.get(PAGE, {**START, "runbook": "security-audit"}).status_code == 404
    assert b"Security audit" not in reader.get(PAGE).content


@pytest.mark.parametrize(
    "wrong",
    [{"person": "nobody"}, {"environment": "moon"}, {"action": "x"}, {"runbook": "nothing"}],
)
def test_what_does_not_exist_is_not_found(reader: Client, wrong: dict[str, str]) -> None:
    assert reader.get(PAGE, {**START, **wrong}).status_code == 404


def test_a_time_that_is_none_is_named(reader: Client) -> None:
    answered = reader.get(PAGE, {**START, "at": "tomorrow"})
    assert answered.status_code == 422
    assert b"Give a time such as" in answered.content


def test_everything_that_can_be_asked_for_alone_has_an_answer(world: World, reader: Client) -> None:
    about = {"person": "developer", "runbook": "deployment", "approval": world.request()}
    asked = question(person("auditor"), about)
    assert asked is not None
    assert [a.action for a in asked.answers] == list(WORDS)
    assert {Action.START, Action.DECIDE} <= set(WORDS)


DECIDE = {"action": "approval.decide"}


def test_who_decides_on_a_request_is_told_with_the_same_reasons(
    world: World, reader: Client
) -> None:
    asked = {**DECIDE, "approval": world.request()}
    person("operations-manager")
    assert "on the request Yes" in answer(reader, **asked, person="operations-manager")
    said = answer(reader, **asked, person="developer")
    assert "No Deciding here is for: Operations Manager. Ask one of them." in said
    RoleGrant.objects.create(user=person("devops-engineer"), role_id="operations-manager")
    said = answer(reader, **asked, person="devops-engineer")
    assert "No Devops-Engineer asked for it: nobody approves what they have a part in." in said


def test_a_delegation_counts_in_its_time(world: World, reader: Client) -> None:
    giver, at = person("operations-manager"), timezone.now() + timedelta(minutes=30)
    asked = {**DECIDE, "approval": world.request(), "person": "developer"}
    delegate(giver, "developer", at + HOUR, "away", since=at - HOUR / 4)
    assert "on the request No" in answer(reader, **asked)
    assert "on the request Yes" in answer(reader, **asked, at=f"{at:%Y-%m-%dT%H:%M}")


def test_after_its_time_and_after_their_word_nobody_decides(world: World, reader: Client) -> None:
    person("operations-manager")
    request = world.request()
    asked = {**DECIDE, "approval": request, "person": "operations-manager"}
    later = timezone.now() + 3 * HOUR
    said = answer(reader, **asked, at=f"{later:%Y-%m-%dT%H:%M}")
    assert "This request expires on" in said and "Decide before that" in said
    about = ApprovalRequest.objects.get(pk=request)
    decide(person("operations-manager"), request, "reject", "Not now.", about.plan_digest)
    said = answer(reader, **asked)
    assert "This request is rejected already" in said
    assert "Operations-Manager has decided here already" in said


def test_who_does_not_see_what_would_run_does_not_decide_on_it(
    world: World, reader: Client
) -> None:
    request = world.request()
    person("operations-manager")
    MatrixCell.objects.filter(role="operations-manager").update(level=0)
    said = answer(reader, **DECIDE, approval=request, person="operations-manager")
    assert "This needs Review on deployment in development" in said


def test_a_request_is_chosen_from_those_that_are_open_and_seen(
    world: World, reader: Client
) -> None:
    request = world.request()
    assert f'<option value="{request}"' in reader.get(PAGE).content.decode()
    assert "Choose a request for approval" in answer(reader, **DECIDE, person="developer")
    MatrixCell.objects.filter(role="auditor", category="deployment").update(level=0)
    assert request not in reader.get(PAGE).content.decode()
    assert reader.get(PAGE, {"person": "developer", "approval": request}).status_code == 404


def test_the_api_answers_the_same(world: World, reader: Client) -> None:
    address, asked = "/api/v1/permissions/check", {**DECIDE, "user": "developer"}
    assert "This is about a request for approval." in reader.get(address, asked).content.decode()
    found = reader.get(address, {**asked, "approval": world.request()}).json()
    assert not found["allowed"]
    assert [reason["code"] for reason in found["reasons"]] == ["approver"]


def test_htmx_gets_the_answer_alone(reader: Client) -> None:
    page = reader.get(PAGE, START, headers={"hx-request": "true"}).content
    assert page.strip().startswith(b"<section")


def test_a_window_at_another_time_counts(world: World, reader: Client) -> None:
    world.window("production")  # Sundays from 02:00 to 04:00
    lead = {**START, "person": "operations-lead", "environment": "production"}
    person("operations-lead")
    assert "start it Yes" in answer(reader, **lead, at="2027-02-07T02:30")
    assert "in its maintenance windows only" in answer(reader, **lead, at="2027-02-07T05:00")


def test_who_is_in_training_starts_it_and_it_waits_for_a_supervisor(reader: Client) -> None:
    certify(person("devops-engineer"), Stage.SUPERVISED)
    asked = {**START, "person": "devops-engineer"}
    said = answer(reader, **asked, environment="development")
    assert "start it Yes: it waits for a supervisor Devops-Engineer is at" in said
    assert "start it No" in answer(reader, **asked, environment="production")


@settings(max_examples=300)
@given(standings, questions())
def test_nobody_reads_of_another_person_as_you(
    standing: Standing, asked: tuple[Action, Subject]
) -> None:
    if asked[0] not in WORDS:
        return
    decision = of("Dana", rules.decide(standing, *asked, dict))
    said = " ".join(f"{reason.text} {reason.remedy}" for reason in decision.reasons)
    assert not re.search(r"\byou", said, re.IGNORECASE), said
