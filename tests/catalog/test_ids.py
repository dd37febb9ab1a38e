"""One file for one id."""

from pathlib import Path

import pytest

from cvdops.catalog.models import Runbook
from tests.catalog.repositories import document, make, of

pytestmark = pytest.mark.django_db


def test_of_two_files_with_an_id_the_first_keeps_it(tmp_path: Path) -> None:
    work = make(tmp_path / "source", b=document("one"), a=document("one", "other"))
    report = work.sync()
    refused = of(report, "b.md")
    assert (of(report, "a.md").action, refused.action) == ("added", "refused")
    assert refused.message == "a.md has the id one already."
    assert (refused.line, refused.hint) == (3, "Give one of them another id.")


def test_whoever_had_the_id_keeps_it(tmp_path: Path) -> None:
    work = make(tmp_path / "source", b=document("one"))
    work.sync()
    work.commit(a=document("one", "other"))
    assert work.actions() == {"a.md": "refused", "b.md": "unchanged"}
    assert Runbook.objects.get().path == "b.md"


def test_the_other_gets_it_when_the_first_is_gone(tmp_path: Path) -> None:
    work = make(tmp_path / "source", a=document("one"), b=document("one", "other"))
    work.sync()
    work.commit(a=None)
    assert work.actions() == {"b.md": "updated"}
    runbook = Runbook.objects.get()
    assert runbook.path == "b.md"
    assert "echo other" in runbook.current.source


def test_two_runbooks_may_change_places(tmp_path: Path) -> None:
    work = make(tmp_path / "source", a=document("one"), b=document("two"))
    work.sync()
    work.commit(a=document("two"), b=document("one"))
    assert work.actions() == {"a.md": "updated", "b.md": "updated"}
    assert dict(Runbook.objects.values_list("pk", "path")) == {"one": "b.md", "two": "a.md"}


def test_a_file_that_takes_a_foreign_id_leaves_its_own_runbook(tmp_path: Path) -> None:
    work = make(tmp_path / "source", a=document("one"), b=document("two"))
    work.sync()
    work.commit(b=document("one"))
    assert work.actions() == {"a.md": "unchanged", "b.md": "refused"}
    assert not Runbook.objects.filter(removed_at__isnull=False).exists()
