"""Documents that name no category, or write it as people do."""

from pathlib import Path

import pytest

from cvdops.access.catalog import get_runbook, visible_runbooks
from cvdops.access.models import MatrixCell
from cvdops.access.policy import Action, Matter, can
from cvdops.access.seed import seed_roles
from cvdops.catalog.models import Runbook
from cvdops.lib.errors import NotFound
from tests.cast import person
from tests.catalog.repositories import Work, document, make, of

pytestmark = pytest.mark.django_db
PLAIN = "# Plain\n\n{}## Procedures\n\n```bash\ntrue\n```\n"


@pytest.fixture
def work(tmp_path: Path) -> Work:
    seed_roles()
    MatrixCell.objects.filter(role="developer", category="security").update(level=0)
    return make(tmp_path / "source", one=PLAIN.format(""), two=document("two"))


def test_one_without_is_in_the_catalog_and_says_what_is_missing(work: Work) -> None:
    report = of(work.sync(), "one.md")
    assert (report.action, report.line) == ("broken", 1)
    assert "names no category" in report.message
    assert "Write category: into its front matter" in report.hint
    runbook = Runbook.objects.get(pk="one")
    assert (runbook.category, runbook.current, runbook.newest.executable) == ("", None, False)


def test_only_who_reads_every_category_reads_one_without(work: Work) -> None:
    work.sync()
    assert {r.pk for r in visible_runbooks(person("auditor"))} == {"one", "two"}
    developer = person("developer")
    assert [r.pk for r in visible_runbooks(developer)] == ["two"]
    with pytest.raises(NotFound):
        get_runbook(developer, "one")
    assert not can(developer, Action.READ_RUNBOOK, Matter("")).allowed
    assert list(visible_runbooks(person("outsider"))) == []


def test_nobody_may_start_one_without(work: Work) -> None:
    work.sync()
    lead = person("operations-lead")
    assert can(lead, Action.READ_RUNBOOK, Matter("")).allowed
    (reason,) = can(lead, Action.START, Matter("", "development")).reasons
    assert "runbooks without a category" in reason.text


def test_it_can_be_executed_as_soon_as_it_names_one(work: Work) -> None:
    work.sync()
    work.commit(one=PLAIN.format("## Metadata\n- **Category**: Performance\n\n"))
    assert of(work.sync(), "one.md").action == "updated"
    runbook = Runbook.objects.get(pk="one")
    assert (runbook.category, runbook.current) == ("performance", runbook.newest)


def test_an_unknown_one_is_named_with_its_line(work: Work) -> None:
    work.commit(one=PLAIN.format("## Metadata\n- **Category**: Cooking\n\n"))
    report = of(work.sync(), "one.md")
    assert (report.action, report.line) == ("broken", 4)
    assert "“Cooking” is none that the portal knows" in report.message
