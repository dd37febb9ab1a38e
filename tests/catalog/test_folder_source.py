"""Runbooks from a plain folder, under Git or not."""

import os
from pathlib import Path

import pytest

from cvdops.catalog import snapshot
from cvdops.catalog.models import Runbook, RunbookVersion
from cvdops.catalog.origin import Origin
from cvdops.catalog.sync import SourceUnreadable, sync
from tests.catalog.repositories import Work, document, make, of, versions

pytestmark = pytest.mark.django_db


def actions(folder: Path) -> dict[str, str]:
    return {result.path: result.action.value for result in sync(folder).results}


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A work tree, in which the folder of runbooks is `ops`."""
    return make(tmp_path / "source", ops__one=document("one"))


def test_working_files_are_read_as_they_lie_there(tmp_path: Path) -> None:
    (tmp_path / "one.md").write_text(document("one"))
    assert actions(tmp_path) == {"one.md": "added"}
    (tmp_path / "one.md").write_text(document("one", "changed"))
    assert actions(tmp_path) == {"one.md": "updated"}
    assert actions(tmp_path) == {"one.md": "unchanged"}
    assert versions("one") == [(1, "", True), (2, "", True)]


def test_what_is_committed_has_its_history(work: Work) -> None:
    first = work.git("rev-parse", "HEAD")
    second = work.commit(ops__one=document("one", "again"))
    report = sync(work.folder / "ops")
    assert report.head == second
    assert versions("one") == [(1, first, True), (2, second, True)]
    assert RunbookVersion.objects.get(number=1).author == "Ada Author"


def test_what_is_not_committed_has_no_author_until_it_is(work: Work) -> None:
    first = work.git("rev-parse", "HEAD")
    (work.folder / "ops" / "one.md").write_text(document("one", "again"))
    actions(work.folder / "ops")
    assert versions("one") == [(1, first, True), (2, "", True)]
    second = work.commit_all()
    assert actions(work.folder / "ops") == {"one.md": "updated"}
    assert versions("one")[2:] == [(3, second, True)]


def test_an_untracked_folder_has_no_history(work: Work) -> None:
    (work.folder / "new").mkdir()
    (work.folder / "new" / "two.md").write_text(document("two"))
    assert actions(work.folder / "new") == {"two.md": "added"}
    assert versions("two") == [(1, "", True)]


def test_links_and_pipes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link.md").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.md")
    report = sync(tmp_path)
    assert of(report, "link.md").message == "It is a symbolic link."
    assert of(report, "pipe.md").message == "It is no ordinary file."
    assert not Runbook.objects.exists()


def test_names_and_sizes_are_held_to_the_same(tmp_path: Path) -> None:
    for name in ("CON.md", ".hidden.md", "One.md", "one.md"):
        (tmp_path / name).write_text(document("one"))
    (tmp_path / "large.md").write_bytes(b"x" * (snapshot.LIMIT + 1))
    (tmp_path / os.fsdecode(b"\xff.md")).write_text(document("two"))
    found = actions(tmp_path)
    assert found.pop("One.md") == "added"
    assert set(found.values()) == {"refused"}
    assert len(found) == 5


def test_an_id_where_the_portal_has_a_page_is_refused(tmp_path: Path) -> None:
    (tmp_path / "import.md").write_text(document("import"))
    assert "the portal has a page there" in of(sync(tmp_path), "import.md").message
    assert not Runbook.objects.exists()


def test_files_below_are_read_but_not_behind_links(tmp_path: Path) -> None:
    folder = tmp_path / "runbooks"
    for place in (folder / "core", folder / ".hidden", tmp_path / "outside"):
        place.mkdir(parents=True)
        (place / "one.md").write_text(document("one"))
    (folder / "link").symlink_to(tmp_path / "outside")
    assert actions(folder) == {"core/one.md": "added"}


def test_too_many_files_are_said_to_be_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cvdops.catalog.folder.FILES", 2)
    for name in "abc":
        (tmp_path / f"{name}.md").write_text(document(name))
    with pytest.raises(SourceUnreadable, match="Nothing was changed"):
        sync(tmp_path)


def test_a_folder_that_is_gone_leaves_the_catalog_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "one.md").write_text(document("one"))
    sync(folder)
    folder.rename(tmp_path / "away")
    with pytest.raises(SourceUnreadable, match="No such file or directory"):
        sync(folder)
    assert Runbook.objects.get().removed_at is None


def test_a_folder_that_is_suddenly_empty_is_one_that_is_not_mounted(tmp_path: Path) -> None:
    (tmp_path / "one.md").write_text(document("one"))
    sync(tmp_path)
    (tmp_path / "one.md").unlink()
    with pytest.raises(SourceUnreadable, match="is empty, and was not before"):
        sync(tmp_path)
    assert Runbook.objects.get().removed_at is None


def test_a_plain_folder_has_no_branches(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="no Git repository"):
        sync(Origin(str(tmp_path), "main"))
