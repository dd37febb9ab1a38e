"""The catalog's page: where the runbooks come from, and Sync now."""

import re
import shutil

import pytest
from django.utils import timezone

from cvdops.audit.models import AuditEntry
from cvdops.catalog.models import CatalogSource
from tests.web.catalog_work import HOSTILE
from tests.web.world import World


def shown(world: World) -> str:
    return world.client("devops-engineer").get("/runbooks/").content.decode()


def test_the_state_of_the_source_is_told(world: World) -> None:
    page = shown(world)
    assert str(world.folder) in page
    assert "read 0" in page or "ago" in page
    assert "deployment.md" in page
    assert "Sync now" in page


def test_a_source_that_cannot_be_read_is_told_and_the_catalog_stays(world: World) -> None:
    shutil.rmtree(world.folder)
    answer = world.client("devops-engineer").post("/catalog/sync/", follow=True)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "The catalog stays as it is." in page
    assert "The source of the runbooks cannot be read" in page
    assert "Purpose of deployment" in page
    assert "problem" in AuditEntry.objects.get(action="catalog.sync").data


def test_the_list_the_page_and_the_api_say_the_same_of_a_runbook(world: World) -> None:
    client, quality = world.client("devops-engineer"), {}
    for one in client.get("/api/v1/runbooks").json()["items"]:
        quality[one["id"]] = one["quality"]
    page = shown(world)
    for name, counted in quality.items():
        assert counted["warnings"] >= 2, "nobody reviewed it, and it was never run"
        said = re.search(rf'{name}/#findings">(.*?)</a>', page)
        assert said
        assert said[1] in client.get(f"/runbooks/{name}/").content.decode()
        assert f"{counted['warnings']} warnings" in said[1]
    assert "no findings" not in page
    assert "next review" in page or "no review date" in page


def test_what_came_from_outside_stays_text(world: World) -> None:
    report = [{"path": HOSTILE, "runbook_id": "x", "action": "refused", "message": HOSTILE}]
    CatalogSource.objects.update_or_create(
        pk=1,
        defaults={
            "location": HOSTILE,
            "branch": HOSTILE,
            "problem": HOSTILE,
            "problem_since": timezone.now(),
            "report": report,
        },
    )
    page = shown(world)
    assert "<script>alert" not in page
    assert "\u202e" not in page


@pytest.mark.parametrize("name", ["a<b>.md", "ä.md"])
def test_a_file_of_any_name_is_told(name: str, world: World) -> None:
    (world.folder / name).write_text("# Nothing\n")
    page = world.client("devops-engineer").post("/catalog/sync/", follow=True).content.decode()
    assert "<b>.md" not in page
    assert "broken" in page
