"""Runbooks from a Git repository: what comes into the catalog, and what stays in it."""

import shutil
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from cvdops.catalog.models import CatalogSource, Runbook, RunbookVersion
from cvdops.catalog.sync import SourceUnreadable
from tests.catalog.repositories import BROKEN_STEP, Work, document, make, of, versions

pytestmark = pytest.mark.django_db


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return make(tmp_path / "source", one=document("one"))


def test_history_comes_with_authors_and_in_order(work: Work) -> None:
    first = work.git("rev-parse", "HEAD")
    second = work.commit(one=document("one", "again"))
    assert work.actions() == {"one.md": "added"}
    assert versions("one") == [(1, first, True), (2, second, True)]
    version = RunbookVersion.objects.get(number=2)
    assert (version.author, version.author_email) == ("Ada Author", "ada@example.org")
    assert version.committed_at is not None
    assert version.path == "one.md"


def test_only_what_is_new_is_added(work: Work) -> None:
    work.sync()
    second = work.commit(one=document("one", "again"), two=document("two"))
    assert work.actions() == {"one.md": "updated", "two.md": "added"}
    assert versions("one")[1:] == [(2, second, True)]
    assert versions("two") == [(1, second, True)]


def test_with_nothing_new_only_the_look_is_noted(work: Work) -> None:
    work.sync()
    with CaptureQueriesContext(connection) as queries:
        assert work.actions() == {"one.md": "unchanged"}
    written = [q["sql"] for q in queries if q["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]
    assert len(written) == 1
    assert '"report"' not in written[0]


def test_a_content_that_comes_back_is_a_version_again(work: Work) -> None:
    work.sync()
    second = work.commit(one=document("one", "other"))
    third = work.commit(one=document("one"))
    work.sync()
    assert [commit for _, commit, _ in versions("one")][1:] == [second, third]
    assert Runbook.objects.get(pk="one").newest.commit == third


def test_a_merge_adds_what_it_made(work: Work) -> None:
    work.git("checkout", "--quiet", "-b", "side")
    side = work.commit(one=document("one", "from-the-side"))
    work.git("checkout", "--quiet", "main")
    work.commit(two=document("two"))
    work.git("merge", "--quiet", "--no-ff", "-m", "Merge", "side")
    work.sync()
    assert versions("one")[-1] == (2, side, True)


def test_the_newest_fifty_of_a_long_history_come(tmp_path: Path) -> None:
    work = make(tmp_path / "source")
    stream = b""
    for number in range(60):
        text = document("one", f"n{number}").encode()
        stream += (
            b"commit refs/heads/main\ncommitter C <c@example.org> %d +0000\ndata 1\nx\n" % number
        )
        stream += b"M 100644 inline one.md\ndata %d\n%s\n" % (len(text), text)
    work.git("fast-import", "--quiet", given=stream)
    work.sync()
    runbook = Runbook.objects.get()
    assert runbook.versions.count() == 50
    assert "echo n59" in runbook.current.source
    assert "echo n10" in runbook.versions.get(number=1).source


def test_a_force_push_is_followed_and_the_old_versions_stay(work: Work) -> None:
    first = work.git("rev-parse", "HEAD")
    lost = work.commit(one=document("one", "lost"))
    work.sync()
    work.git("reset", "--quiet", "--hard", first)
    new = work.commit(one=document("one", "new"))
    assert work.actions() == {"one.md": "updated"}
    assert [commit for _, commit, _ in versions("one")] == [first, lost, new]
    assert Runbook.objects.get().current.commit == new


def test_a_rewritten_history_adds_no_content_twice(work: Work) -> None:
    work.commit(one=document("one", "second"))
    work.sync()
    work.git("checkout", "--quiet", "--orphan", "other")
    work.commit(one=document("one"))
    work.commit(one=document("one", "second"))
    work.git("branch", "--quiet", "-M", "other", "main")
    assert work.actions() == {"one.md": "unchanged"}
    new = work.commit(one=document("one", "third"))
    work.sync()
    assert [c for _, c, _ in versions("one")][2:] == [new]


def test_a_deleted_file_leaves_its_history(work: Work) -> None:
    work.sync()
    work.commit(one=None)
    assert work.actions() == {"one.md": "removed"}
    assert Runbook.objects.get().removed_at is not None
    assert len(versions("one")) == 1
    work.commit(one=document("one"))
    assert work.actions() == {"one.md": "added"}
    assert Runbook.objects.get().removed_at is None


def test_a_renamed_file_is_the_same_runbook(work: Work) -> None:
    work.sync()
    work.git("mv", "one.md", "first.md")
    work.commit_all()
    result = of(work.sync(), "first.md")
    assert (result.action, result.message) == ("updated", "It was one.md.")
    assert Runbook.objects.get().path == "first.md"
    assert len(versions("one")) == 1


def test_a_history_is_followed_through_renames(work: Work) -> None:
    first = work.git("rev-parse", "HEAD")
    work.git("mv", "one.md", "first.md")
    work.commit_all()
    third = work.commit(first=document("one", "changed"))
    work.sync()
    assert [commit for _, commit, _ in versions("one")] == [first, third]
    assert RunbookVersion.objects.get(number=1).path == "one.md"


def test_another_id_is_another_runbook_with_its_own_history(work: Work) -> None:
    work.sync()
    work.git("mv", "one.md", "two.md")
    second = work.commit(two=document("two"))
    assert work.actions() == {"one.md": "removed", "two.md": "added"}
    assert versions("two") == [(1, second, True)]


def test_of_a_broken_file_the_last_good_version_stays(work: Work) -> None:
    work.sync()
    work.commit(one=document("one", more=BROKEN_STEP))
    for _ in range(2):  # it is said again as long as it is so
        result = of(work.sync(), "one.md")
        assert (result.action, result.line) == ("broken", 19)
        assert "colour" in result.message
    runbook = Runbook.objects.get()
    assert (runbook.current.number, runbook.newest.number) == (1, 2)


def test_a_head_that_cannot_be_read_is_still_of_this_runbook(work: Work) -> None:
    work.commit(deploy=document("deployment"))
    work.sync()
    work.commit(deploy="---\nid: [deployment\n---\n" + document("deployment"))
    assert of(work.sync(), "deploy.md").action == "broken"
    runbook = Runbook.objects.get(pk="deployment")
    assert (runbook.current.number, runbook.newest.number) == (1, 2)
    assert not Runbook.objects.filter(pk="deploy").exists()


def test_a_file_that_loses_its_category_keeps_its_place_and_its_last_good_version(
    work: Work,
) -> None:
    work.sync()
    work.commit(one=document("one", "new").replace("category: deployment\n", ""))
    assert work.actions() == {"one.md": "broken"}
    runbook = Runbook.objects.get()
    assert (runbook.category, runbook.removed_at) == ("deployment", None)
    assert (runbook.current.number, runbook.newest.number) == (1, 2)


def test_the_readme_is_no_runbook(work: Work) -> None:
    work.commit(README="# About", docs__readme="# More")
    assert work.actions() == {"one.md": "added"}


def test_files_in_folders_are_runbooks_too(work: Work) -> None:
    work.commit(teams__core__two=document("two"))
    assert work.actions() == {"one.md": "added", "teams/core/two.md": "added"}


def test_only_the_folder_is_read(work: Work) -> None:
    work.commit(ops__two=document("two"))
    report = work.sync(folder="ops")
    assert [(r.path, r.runbook_id) for r in report.results] == [("two.md", "two")]
    assert len(versions("two")) == 1


def test_only_the_branch_is_read(work: Work) -> None:
    work.git("checkout", "--quiet", "-b", "release/2")
    commit = work.commit(two=document("two"))
    work.git("checkout", "--quiet", "main")
    assert work.sync(branch="release/2").head == commit
    assert Runbook.objects.filter(pk="two").exists()


def test_a_bare_repository_is_read(work: Work, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    work.git("clone", "--quiet", "--bare", str(work.folder), str(bare))
    assert Work(bare).actions() == {"one.md": "added"}


def test_another_source_takes_the_place_of_the_first(work: Work, tmp_path: Path) -> None:
    work.sync()
    other = make(tmp_path / "other", two=document("two"))
    assert other.actions() == {"two.md": "added", "one.md": "removed"}
    assert CatalogSource.objects.get().location == str(other.folder)
    assert work.actions() == {"one.md": "added", "two.md": "removed"}


def test_a_copy_that_is_gone_is_made_again(work: Work, settings: Settings) -> None:
    work.sync()
    shutil.rmtree(settings.DATA_DIR / "catalog")
    new = work.commit(one=document("one", "new"))
    assert work.sync().head == new
    assert len(versions("one")) == 2


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"branch": "nowhere"}, "The branch nowhere"),
        ({"folder": "nowhere"}, "The folder nowhere"),
        ({"folder": "one.md"}, "The folder one.md"),
    ],
)
def test_a_branch_or_folder_that_is_not_there(work: Work, where: dict[str, str], said: str) -> None:
    work.sync()
    with pytest.raises(SourceUnreadable, match=said):
        work.sync(**where)
    assert CatalogSource.objects.get().problem.startswith(said)
    assert Runbook.objects.get().removed_at is None


def test_a_repository_without_commits_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="has no commit"):
        make(tmp_path / "empty").sync()


def test_a_problem_is_kept_with_its_beginning_until_it_is_over(work: Work) -> None:
    work.sync()
    away = work.folder.rename(work.folder.with_name("away"))
    since = []
    for _ in range(2):
        with pytest.raises(SourceUnreadable):
            work.sync()
        since.append(CatalogSource.objects.get().problem_since)
    assert since[0] is not None
    assert since[0] == since[1]
    away.rename(work.folder)
    work.sync()
    source = CatalogSource.objects.get()
    assert (source.problem, source.problem_since) == ("", None)
