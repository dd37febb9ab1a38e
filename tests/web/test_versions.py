"""Versions: the list, two side by side, reviews, and running an earlier one."""

import pytest
from django.http import HttpResponse

from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.audit.models import AuditEntry
from cvdops.catalog import reviews
from cvdops.catalog.models import RunbookVersion, VersionReview
from cvdops.executions.models import Execution
from tests.cast import person
from tests.web.access_table import START
from tests.web.catalog_work import break_it, edit, newest
from tests.web.world import World

PAGE = "/runbooks/deployment/"
REVIEW = PAGE + "versions/1/review/"


def shown(world: World, address: str, role: str = "devops-engineer") -> str:
    return world.client(role).get(address).content.decode()


def test_the_list_tells_what_runs_and_what_is_broken(world: World) -> None:
    VersionReview.objects.create(version=newest(), reviewer=person("cto"))
    break_it(world)
    page = shown(world, PAGE + "versions/")
    assert page.index("1.1.0") < page.index("errors") < page.index("1.0.0") < page.index("runs")
    assert "Cto" in page


def test_two_versions_are_compared_by_what_they_do_and_line_by_line(world: World) -> None:
    edit(
        world,
        ("echo hello", "echo goodbye"),
        ("unsay}", "unsay timeout=60s}"),
        ("secret: true,", "secret: true, required: true,"),
    )
    page = shown(world, PAGE + "compare/?from=1&to=2")
    assert "the command" in page
    assert "timeout: 600s → 60s" in page
    assert "required: no → yes" in page
    assert "<del>echo <mark>hello</mark></del>" in page
    assert "<ins>echo <mark>goodbye</mark></ins>" in page


def test_the_newest_two_are_compared_when_none_are_named(world: World) -> None:
    assert "No line is different" in shown(world, PAGE + "compare/")
    edit(world, ("About", "All about"))
    assert "<mark>All about</mark> deployment" in shown(world, PAGE + "compare/")


@pytest.mark.parametrize(
    "query",
    ["from=x", "to=9", "from=1&to=%00", "from=-1", "from=1e3", "from=" + "1" * 400, "from="],
)
def test_a_comparison_with_nonsense_leads_nowhere(query: str, world: World) -> None:
    assert world.client("auditor").get(f"{PAGE}compare/?{query}").status_code in (400, 404)


def test_who_may_not_see_the_runbook_sees_no_comparison(world: World) -> None:
    for address in ("compare/?from=1&to=1", "versions/", "?view=source"):
        assert world.client("outsider").get(PAGE + address).status_code == 404


def review(world: World, role: str, comment: str = "right") -> HttpResponse:
    return world.client(role).post(REVIEW, {"comment": comment})


def test_a_review_is_recorded_with_the_audit_entry(world: World) -> None:
    assert review(world, "developer").status_code == 302
    made = VersionReview.objects.get()
    assert (made.reviewer, made.comment, made.version.number) == (person("developer"), "right", 1)
    entry = AuditEntry.objects.get(action=Action.REVIEW_RUNBOOK)
    assert (entry.subject_id, entry.data["version"]) == ("deployment", 1)
    assert "Developer" in shown(world, PAGE)


def test_the_name_in_the_audit_log_is_that_of_the_policy() -> None:
    assert reviews.ACTION == Action.REVIEW_RUNBOOK


@pytest.mark.parametrize(
    "author",
    [{"author": "DEVELOPER"}, {"author_email": "Dev@Example.org"}, {"author": " developer "}],
)
def test_nobody_reviews_their_own_work(author: dict[str, str], world: World) -> None:
    User.objects.filter(pk=person("developer").pk).update(email="dev@example.ORG")
    RunbookVersion.objects.filter(runbook="deployment").update(**author)
    answer = review(world, "developer")
    assert answer.status_code == 403
    assert b"You wrote this version: nobody reviews their own work." in answer.content
    assert not VersionReview.objects.exists()
    assert b"somebody else reviews it" in world.client("developer").get(PAGE).content


def test_nor_do_they_under_another_account(world: World) -> None:
    RunbookVersion.objects.filter(runbook="deployment").update(author="Cto")
    User.objects.filter(pk=person("developer").pk).update(person=person("cto").person)
    assert review(world, "developer").status_code == 403


def test_a_second_review_is_told_of_the_first(world: World) -> None:
    review(world, "developer")
    answer = review(world, "developer")
    assert answer.status_code == 409
    assert b"You reviewed this version already" in answer.content
    assert VersionReview.objects.count() == 1


@pytest.mark.parametrize(("address", "comment"), [(REVIEW, "x" * 2001)])
def test_a_comment_has_an_end(address: str, comment: str, world: World) -> None:
    assert world.client("developer").post(address, {"comment": comment}).status_code == 422


def test_a_version_that_there_is_not_is_not_reviewed(world: World) -> None:
    for number in ("9", "99999999999"):
        address = f"{PAGE}versions/{number}/review/"
        assert world.client("developer").post(address).status_code == 404


EARLIER = {**START, "version": "1", "reason": "the new one hangs"}


def test_the_launch_page_says_that_an_earlier_version_runs(world: World) -> None:
    edit(world, ("1.0.0", "1.2.0"), ("echo hello", "echo goodbye"))
    page = shown(world, PAGE + "run/?procedure=greet&version=1")
    assert "version 1.0.0 (number 1), not the newest" in page
    assert "1.2.0 (number 2" in page
    assert "Why do you run version 1.0.0" in page
    assert "version 1.0.0 (number 1) is meant, not the newest, 1.2.0 (number 2)" in page
    assert "echo hello" in page
    assert page.count('name="version" value="1"') == 3


def test_an_earlier_version_runs_and_everybody_is_told(world: World) -> None:
    edit(world, ("1.0.0", "1.2.0"), ("echo hello", "echo goodbye"))
    answer = world.client("devops-engineer").post(PAGE + "run/", EARLIER)
    execution = Execution.objects.get()
    assert (execution.version.number, execution.plan["forward"][0]["body"]) == (1, "echo hello\n")
    page = shown(world, answer["Location"])
    assert "version 1.0.0 (number 1), not the newest" in page
    assert "because: <q>the new one hangs</q>" in page
    entry = AuditEntry.objects.get(action=Action.START)
    assert (entry.data["version"], entry.data["instead_of"]) == (1, 2)


def test_a_choice_needs_its_reason(world: World) -> None:
    edit(world, ("1.0.0", "1.2.0"))
    answer = world.client("devops-engineer").post(PAGE + "run/", {**EARLIER, "reason": " "})
    assert answer.status_code == 422
    assert "Say why you run version 1.0.0 (number 1)" in answer.content.decode()


def test_a_version_that_became_old_later_was_no_choice(world: World) -> None:
    execution = world.start()
    edit(world, ("1.0.0", "1.2.0"))
    assert "not the newest" not in shown(world, f"/executions/{execution.pk}/")
    assert "instead_of" not in AuditEntry.objects.get(action=Action.START).data


def test_only_what_can_be_executed_is_run(world: World) -> None:
    break_it(world)
    client = world.client("devops-engineer")
    answer = client.get(PAGE + "run/?version=2")
    assert answer.status_code == 422
    assert b"has errors and cannot be executed" in answer.content
    for number in ("7", "x", "9" * 20):
        assert client.get(f"{PAGE}run/?version={number}").status_code == 404
        assert client.post(PAGE + "run/", {**EARLIER, "version": number}).status_code == 404
    assert not Execution.objects.exists()


def test_who_approves_sees_that_an_earlier_version_runs(world: World) -> None:
    edit(world, ("1.0.0", "1.2.0"))
    request = world.request(version=1, reason="the new one hangs")
    page = shown(world, f"/approvals/{request}/", "operations-manager")
    assert "version 1.0.0 (number 1), not the newest" in page
    assert "because: <q>the new one hangs</q>" in page
