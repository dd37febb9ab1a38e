"""What stands between runbooks, and how it follows the other one."""

from pathlib import Path

import pytest

from cvdops.catalog.models import Runbook
from cvdops.executions.launch import resolve
from tests.catalog.repositories import CHILD, Work, document, make, of
from tests.executions import scene as scenes

pytestmark = pytest.mark.django_db


def calling(runbook_id: str, child: str) -> str:
    return document(runbook_id, more=CHILD.format(child))


def obstacles() -> dict[str, list[str]]:
    found = Runbook.objects.order_by("pk").values_list("pk", "obstacles")
    return {pk: [o["code"] for o in listed] for pk, listed in found if listed}


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return make(tmp_path / "source", one=calling("one", "two"), two=document("two"))


def test_a_child_that_is_there_is_no_obstacle(work: Work) -> None:
    assert work.actions() == {"one.md": "added", "two.md": "added"}
    assert obstacles() == {}


def test_a_child_that_goes_is_one_until_it_comes_back(work: Work) -> None:
    work.sync()
    work.commit(two=None)
    result = of(work.sync(), "one.md")
    assert (result.action, result.line) == ("broken", 20)
    assert "There is no runbook “two”" in result.message
    assert obstacles() == {"one": ["RB215"]}
    work.commit(two=document("two"))
    assert work.actions() == {"one.md": "unchanged", "two.md": "added"}
    assert obstacles() == {}


def test_it_is_said_again_as_long_as_it_is_so(work: Work) -> None:
    work.commit(two=None)
    for _ in range(2):
        assert work.actions() == {"one.md": "broken"}


def test_a_circle_stops_all_that_are_in_it(work: Work) -> None:
    work.commit(two=calling("two", "one"))
    assert work.actions() == {"one.md": "broken", "two.md": "broken"}
    assert obstacles() == {"one": ["RB214"], "two": ["RB214"]}
    assert Runbook.objects.get(pk="one").current.executable


def test_a_child_that_is_broken_is_seen_as_it_last_worked(work: Work) -> None:
    work.sync()
    work.commit(two=document("two", more="```bash {colour=red}\ntrue\n```\n"))
    assert work.actions() == {"one.md": "unchanged", "two.md": "broken"}


def test_nothing_is_started_that_leads_nowhere(work: Work, tmp_path: Path) -> None:
    scene = scenes.make(tmp_path)
    work.commit(two=None)
    work.sync()
    preview = resolve(scene.person("devops-engineer"), "one", "development", None, {})
    assert preview.plan is None
    assert "Line 20: There is no runbook “two”." in [p.message for p in preview.problems]
