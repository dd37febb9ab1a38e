"""The page of a runbook: its quality, its source, the rules."""

import re

import pytest
from django.db.models.functions import Now

from cvdops.catalog.models import Runbook, RunbookVersion, VersionReview
from cvdops.executions.models import Execution, StepRun
from cvdops.spec.codes import CODES
from tests.cast import person
from tests.web.access_table import START
from tests.web.catalog_work import HOSTILE, break_it, edit, newest
from tests.web.world import World

PAGE = "/runbooks/deployment/"


def shown(world: World, address: str = PAGE, role: str = "auditor") -> str:
    return world.client(role).get(address).content.decode()


def test_the_rules_are_those_of_the_linter(world: World) -> None:
    page = shown(world)
    assert "Nobody but its author has reviewed this version." in page  # of its history
    assert "RB502" in page or "RB503" in page  # of the document
    assert 'href="/runbooks/rules/RB510/"' in page


def test_a_finding_leads_to_its_line_in_the_source(world: World) -> None:
    link = re.search(
        r'href="(/runbooks/deployment/\?version=1&amp;view=source)#L(\d+)"', shown(world)
    )
    assert link
    source = shown(world, link[1].replace("&amp;", "&"))
    assert f'<li id="L{link[2]}"' in source


def test_a_review_and_a_success_take_their_findings_away(world: World) -> None:
    VersionReview.objects.create(version=newest(), reviewer=person("cto"))
    finish(world.start(), environment="staging")
    page = shown(world)
    assert "RB510" not in page
    assert "RB511" not in page
    assert "succeeded in staging" in page


def finish(execution: Execution, environment: str = "development", **samples: str) -> None:
    for key, sample in samples.items():
        StepRun.objects.filter(execution=execution, key=key).update(sample=sample)
    Execution.objects.filter(pk=execution.pk).update(
        state="succeeded", environment=environment, finished_at=execution.created_at
    )


def test_promises_are_those_of_the_latest_execution_of_this_version(world: World) -> None:
    finish(world.start(), hello="kept")
    assert "1 kept" in shown(world)
    finish(world.start(), hello="differs")
    page = shown(world)
    assert "0 kept, 1 broken" in page
    assert "1 of 1 expected outputs did not come" in page
    edit(world, ("About", "All about"))
    assert "this version was not run yet" in shown(world)


def test_a_child_runbook_that_does_not_exist_is_found(world: World) -> None:
    edit(world, ("## Rollback", "```runbook {#child}\nrunbook: nothing\n```\n\n## Rollback"))
    assert "There is no runbook “nothing”." in shown(world)


def test_a_hint_names_no_runbook_that_the_reader_may_not_see(world: World) -> None:
    child = "```runbook {#child}\nrunbook: security-audit\nprocedure: none\n```\n\n## Rollback"
    edit(world, ("## Rollback", child))
    assert "It has: release, greet." in shown(world)
    Runbook.objects.filter(pk="security-audit").update(category="no-such")
    page = shown(world)
    assert "has no procedure" in page
    assert "It has: release, greet." not in page


def test_a_broken_newest_version_says_what_runs_in_its_place(world: World) -> None:
    broken = break_it(world)
    page = shown(world)
    assert "The newest version cannot be executed." in page
    assert '<a href="/runbooks/deployment/?version=1">1.0.0</a>' in page
    assert "rollback= names" in page or "nowhere" in page
    assert broken.number == 2
    assert "newest version has errors" in shown(world, "/runbooks/")


def test_the_source_shows_what_would_hide(world: World) -> None:
    edit(world, ("echo hello", "echo \u202ehello"))
    for address in (PAGE, PAGE + "?view=source"):
        page = shown(world, address)
        assert "\u202e" not in page
        assert "⟨U+202E⟩" in page


def test_hostile_names_stay_text(world: World) -> None:
    RunbookVersion.objects.update(author=HOSTILE, label=HOSTILE[:40], path=HOSTILE)
    Runbook.objects.update(title=HOSTILE, path=HOSTILE)
    for query in ("", "versions/", "compare/", "?view=source", "run/", "run/?procedure=greet"):
        page = shown(world, PAGE + query)
        assert "<script>alert" not in page
        assert "\u202e" not in page


@pytest.mark.parametrize(
    "query", ["version=0", "version=x", "version=", "version=²", "version=" + "9" * 30]
)
def test_a_version_that_there_is_not_is_not_found(query: str, world: World) -> None:
    assert world.client("auditor").get(f"{PAGE}?{query}").status_code == 404
    assert world.client("auditor").get(f"{PAGE}?{query}&view=source").status_code == 404


@pytest.mark.parametrize("code", CODES)
def test_each_rule_has_its_page(code: str, world: World) -> None:
    answer = world.client("developer").get(f"/runbooks/rules/{code}/")
    assert answer.status_code == 200
    assert f"{code}: " in answer.content.decode()


@pytest.mark.parametrize("code", ["RB999", "README", "..%2f..%2fREADME", "rb101"])
def test_a_rule_that_there_is_not_is_not_found(code: str, world: World) -> None:
    assert world.client("developer").get(f"/runbooks/rules/{code}/").status_code == 404


def test_one_that_is_gone_from_the_source_can_be_read_and_not_started(world: World) -> None:
    Runbook.objects.filter(pk="deployment").update(removed_at=Now())
    client = world.client("devops-engineer")
    page = client.get("/runbooks/deployment/")
    assert b"no longer in the source" in page.content
    assert b'href="/runbooks/deployment/run/"' not in page.content
    assert client.get("/runbooks/deployment/versions/").status_code == 200
    assert client.post("/runbooks/deployment/run/", START).status_code == 422
    assert b"deployment/" not in client.get("/runbooks/").content
