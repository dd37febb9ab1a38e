"""Repositories that want more than to be read: nothing of theirs runs, and nobody waits for them."""

import os
import time
from pathlib import Path

import pytest
from pytest_django import Settings

from cvdops.catalog.models import Runbook
from cvdops.catalog.origin import Origin
from cvdops.catalog.sync import SourceUnreadable, sync
from cvdops.runners.processes import entry
from tests.catalog.repositories import Work, document, imported, make, of, versions
from tests.waiting import until

pytestmark = pytest.mark.django_db
TEXT = document("one").encode()
SEVERAL = 100.0  # seconds that a sync may take, whatever it reads, also where all is slow


def script(path: Path, proof: Path) -> None:
    """A program that leaves a proof that it ran."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ntouch '{proof}'\ncat\n")
    path.chmod(0o755)


def test_hooks_of_the_source_do_not_run(tmp_path: Path, settings: Settings) -> None:
    work, proof = make(tmp_path / "source", one=document("one")), tmp_path / "ran"
    names = (
        "pre-receive",
        "post-update",
        "reference-transaction",
        "post-checkout",
        "post-index-change",
    )
    for name in names:
        script(work.folder / ".git" / "hooks" / name, proof)
    work.sync()
    assert not proof.exists()
    assert not list(settings.DATA_DIR.glob("catalog/*.git/hooks/*"))


def test_programs_that_the_source_configures_do_not_run(tmp_path: Path) -> None:
    work, proof = make(tmp_path / "source", one=document("one")), tmp_path / "ran"
    script(program := tmp_path / "program", proof)
    for key in (
        *("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "gpg.program"),
        *("uploadpack.packObjectsHook", "diff.external", "core.alternateRefsCommand"),
        *("filter.x.smudge", "filter.x.clean", "filter.x.process", "diff.x.textconv"),
    ):
        work.git("config", key, str(program))
    work.git("config", "log.showSignature", "true")
    (work.folder / ".gitattributes").write_text("*.md filter=x diff=x\n")
    work.git("-c", "filter.x.clean=", "-c", "filter.x.process=", "add", "--all")
    work.git(
        "-c",
        "core.fsmonitor=",
        "-c",
        "filter.x.process=",
        "-c",
        "filter.x.clean=",
        "commit",
        "-qm",
        "x",
    )
    proof.unlink(missing_ok=True)
    work.sync()
    sync(work.folder / ".git" / "..")
    assert not proof.exists()


def test_a_filter_of_a_work_tree_does_not_run(tmp_path: Path) -> None:
    work, proof = make(tmp_path / "source", ops__one=document("one")), tmp_path / "ran"
    script(program := tmp_path / "program", proof)
    (work.folder / "ops" / ".gitattributes").write_text("*.md filter=x\n")
    for key in ("filter.x.clean", "filter.x.process", "core.fsmonitor"):
        work.git("config", key, str(program))
    (work.folder / "ops" / "one.md").touch()
    assert of(sync(work.folder / "ops"), "one.md").action == "added"
    assert not proof.exists()


def test_an_account_cannot_slip_in_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, proof = make(tmp_path / "source", one=document("one")), tmp_path / "ran"
    script(program := tmp_path / "program", proof)
    (tmp_path / ".gitconfig").write_text(f"[core]\nfsmonitor = {program}\nhooksPath = {tmp_path}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(program))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_SSH_COMMAND", str(program))
    assert work.actions() == {"one.md": "added"}
    assert not proof.exists()


def test_a_tag_with_the_name_of_the_branch_is_not_read(tmp_path: Path) -> None:
    work = make(tmp_path / "source", one=document("one"))
    work.git("tag", "main")
    head = work.commit(one=document("one", "newer"))
    assert work.sync(branch="main").head == head


def test_a_reference_with_a_newline_is_not_followed(tmp_path: Path) -> None:
    work = make(tmp_path / "source", one=document("one"))
    odd = work.folder / ".git" / "refs" / "tags" / "v1\n--upload-pack=touch x"
    odd.write_text(work.git("rev-parse", "HEAD") + "\n")
    assert work.actions() == {"one.md": "added"}


@pytest.mark.parametrize(
    ("mode", "path", "content", "why"),
    [
        ("120000", "link.md", b"/etc/passwd", "symbolic link"),
        ("160000", "module", b"1" * 40, "submodule"),
        ("160000", "module.md", b"1" * 40, "submodule"),
        ("100644", "lfs.md", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "LFS"),
        ("100644", "large.md", TEXT + b"x" * 1_000_000, "larger than 1 MB"),
        ("100644", "CON.md", TEXT, "device on Windows"),
        ("100644", "ops/aux.1.md", TEXT, "device on Windows"),
        ("100644", ".hidden.md", TEXT, "begins with a dot"),
        ("100644", "n" * 297 + ".md", TEXT, "longer than 250"),
        ("100644", "new\nline.md", TEXT, "control characters"),
        ("100644", "bell\a.md", TEXT, "control characters"),
        ("100644", "right\u202eleft.md", TEXT, "control characters"),
        ("100644", "back\\slash.md", TEXT, "out of its folder"),
        ("100644", "One.md", TEXT, "only in case"),
    ],
)
def test_a_file_is_refused_with_its_reason(
    tmp_path: Path, mode: str, path: str, content: bytes, why: str
) -> None:
    work = imported(tmp_path / "source", [("100644", "one.md", TEXT), (mode, path, content)])
    refused, accepted = sorted(work.sync().results, key=lambda r: r.action == "added")
    if why == "only in case":  # the first by name is the one that is read
        assert accepted.path == "One.md"
    assert (refused.action, accepted.action) == ("refused", "added")
    assert why in refused.message
    assert refused.path.isprintable()
    assert [r.pk for r in Runbook.objects.all()] == ["one"]


def test_of_case_twins_the_known_one_stays(tmp_path: Path) -> None:
    work = make(tmp_path / "source", one=document("one"))
    work.sync()
    work.commit(ONE=document("one", "the-twin"))
    assert work.actions() == {"ONE.md": "refused", "one.md": "unchanged"}


def test_a_tree_that_leads_out_is_not_even_fetched(tmp_path: Path) -> None:
    work = make(tmp_path / "source", one=document("one"))
    blob = work.git("hash-object", "-w", "one.md")
    inner = work.git("mktree", given=f"100644 blob {blob}\tone.md\n".encode())
    raw = b"40000 ..\0" + bytes.fromhex(inner)
    tree = work.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", given=raw)
    work.git("update-ref", "HEAD", work.git("commit-tree", tree, "-m", "x"))
    with pytest.raises(SourceUnreadable, match="damaged or forbidden"):
        work.sync()


def test_a_refused_file_does_not_remove_its_runbook(tmp_path: Path) -> None:
    work = make(tmp_path / "source", one=document("one"))
    work.sync()
    (work.folder / "one.md").unlink()
    (work.folder / "one.md").symlink_to("/etc/passwd")
    work.commit_all()
    assert work.actions() == {"one.md": "refused"}
    assert Runbook.objects.get().removed_at is None


# To make a hundred thousand takes half a minute, which is for the long form.
MANY = pytest.mark.parametrize("count", [10_000, pytest.param(100_000, marks=pytest.mark.faults)])


@MANY
def test_very_many_files_are_no_trouble(tmp_path: Path, count: int) -> None:
    work = many(tmp_path / "source", "txt", count)
    began = time.monotonic()
    assert work.actions() == {"one.md": "added"}
    assert time.monotonic() - began < SEVERAL


@MANY
def test_very_many_runbooks_are_too_many(tmp_path: Path, count: int) -> None:
    work = many(tmp_path / "source", "md", count)
    began = time.monotonic()
    with pytest.raises(SourceUnreadable, match="More than 1,000 Markdown files"):
        work.sync()
    assert time.monotonic() - began < SEVERAL


def many(folder: Path, suffix: str, count: int) -> Work:
    names = (("100644", f"d{n % 100}/f{n}.{suffix}", b"%d" % n) for n in range(count))
    return imported(folder, [("100644", "one.md", TEXT), *names])


def test_a_large_file_stays_where_it_is(tmp_path: Path, settings: Settings) -> None:
    noise = os.urandom(5_000_000)
    large = [("100644", "huge.md", noise), ("100644", "huge.bin", noise)]
    work = imported(tmp_path / "source", [("100644", "one.md", TEXT), *large])
    assert of(work.sync(), "huge.md").message == "It is larger than 1 MB."
    copy = settings.DATA_DIR / "catalog"
    assert sum(p.stat().st_size for p in copy.rglob("*") if p.is_file()) < 1_000_000


@pytest.mark.parametrize("filters", [True, False])
def test_a_file_that_was_too_large_comes_when_it_is_smaller(
    tmp_path: Path, settings: Settings, filters: bool
) -> None:
    work = make(tmp_path / "source", one=document("one"))
    settings.RUNBOOKS_SSH = (str(over_ssh(tmp_path / "ssh")),)
    place = str(work.folder) if filters else f"ssh://git@127.0.0.1{work.folder}"
    lines = [f"{n} {os.urandom(30).hex()}\n\n" for n in range(20_000)]
    for count, action in ((0, "added"), (20_000, "refused"), (9_000, "updated"), (500, "updated")):
        work.commit(
            one=document("one", more="".join(lines[:count])), two=document("two", str(count))
        )
        work.git("repack", "-adq")  # as deltas of each other
        assert of(sync(Origin(place)), "one.md").action == action
    assert len(versions("one")) == 3


@pytest.fixture(scope="module", params=[200, pytest.param(1_000, marks=pytest.mark.faults)])
def zeros(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Work:
    """A repository with a runbook and so many megabytes of zeros."""
    folder = tmp_path_factory.mktemp("zeros")
    work = make(folder / "source", one=document("one"))
    with (folder / "zeros").open("wb") as file:
        file.truncate(request.param * 1_000_000)
    work.git("config", "core.bigFileThreshold", "1m")
    work.git("config", "core.compression", "1")
    blob = work.git("hash-object", "-w", "--no-filters", str(folder / "zeros"))
    work.git("update-index", "--add", "--cacheinfo", f"100644,{blob},huge.md")
    work.git("commit", "--quiet", "-m", "huge")
    (folder / "zeros").unlink()
    return work


@pytest.mark.parametrize("filters", [True, False])
def test_a_gigabyte_of_nothing_is_refused_in_time(
    zeros: Work, tmp_path: Path, settings: Settings, filters: bool
) -> None:
    origin = Origin(str(zeros.folder))
    if not filters:  # a server that sends all that there is
        settings.RUNBOOKS_SSH = (str(over_ssh(tmp_path / "ssh")),)
        origin = Origin(f"ssh://git@127.0.0.1{zeros.folder}")
    began = time.monotonic()
    assert of(sync(origin), "huge.md").message == "It is larger than 1 MB."
    assert time.monotonic() - began < SEVERAL
    assert len(versions("one")) == 1


def over_ssh(program: Path) -> Path:
    """What ssh does at the end of a connection, without one: it runs what it is told to."""
    program.write_text('#!/bin/sh\nfor last; do :; done\nexec /bin/sh -c "$last"\n')
    program.chmod(0o755)
    return program


def test_more_than_may_come_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = [("100644", f"{n}.bin", os.urandom(500_000)) for n in range(8)]
    work = imported(tmp_path / "source", [("100644", "one.md", TEXT), *small])
    monkeypatch.setattr("cvdops.catalog.mirror.PACK", 2_000_000)
    with pytest.raises(SourceUnreadable, match="sends more than 2 MB"):
        work.sync()


def test_a_tree_that_multiplies_is_stopped(tmp_path: Path) -> None:
    work = make(tmp_path / "source", one=document("one"))
    blob = work.git("hash-object", "-w", "one.md")
    tree = work.git(
        "mktree", given="".join(f"100644 blob {blob}\tf{n}.txt\n" for n in range(10)).encode()
    )
    for _ in range(9):  # 10^10 files in a few hundred bytes
        lines = "".join(f"040000 tree {tree}\td{n}\n" for n in range(10))
        tree = work.git("mktree", given=lines.encode())
    work.git("update-ref", "HEAD", work.git("commit-tree", tree, "-m", "x"))
    began = time.monotonic()
    with pytest.raises(SourceUnreadable, match=r"too many files|took longer"):
        work.sync()
    assert time.monotonic() - began < SEVERAL + 1


def test_what_takes_too_long_is_ended_with_all_that_it_started(
    tmp_path: Path, settings: Settings
) -> None:
    settings.RUNBOOKS_TIMEOUT = 1
    asleep = tmp_path / "ssh"
    asleep.write_text(f"#!/bin/sh\necho $$ > '{tmp_path}/pid'\nexec sleep 60\n")
    asleep.chmod(0o755)
    settings.RUNBOOKS_SSH = (str(asleep),)
    with pytest.raises(SourceUnreadable, match="took longer than 1 s"):
        sync(Origin("ssh://git@127.0.0.1/repository.git"))
    pid = int((tmp_path / "pid").read_text())
    until(lambda: (found := entry(pid)) is None or found.ended, what="the end of ssh")


def test_whoever_asks_by_ssh_is_never_asked_back(tmp_path: Path, settings: Settings) -> None:
    told = tmp_path / "ssh"
    told.write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"$@\" > '{tmp_path}/told'\nenv > '{tmp_path}/env'\nexit 255\n"
    )
    told.chmod(0o755)
    settings.RUNBOOKS_SSH = (str(told), "-i", "key")
    with pytest.raises(SourceUnreadable):
        sync(Origin("ssh://git@127.0.0.1/repository.git"))
    words = (tmp_path / "told").read_text().splitlines()
    assert words[:2] == ["-o", "BatchMode=yes"]
    assert "key" in words
    assert "git@127.0.0.1" in words
    names = {line.split("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    assert not names & {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "CVDOPS_DATA_DIR"}


def test_hosts_that_cannot_be_reached(closed_port: int) -> None:
    for scheme in ("https", "ssh"):
        began = time.monotonic()
        with pytest.raises(SourceUnreadable, match=r"127\.0\.0\.1 refuses the connection"):
            sync(Origin(f"{scheme}://127.0.0.1:{closed_port}/repository.git"))
        assert time.monotonic() - began < SEVERAL
    with pytest.raises(SourceUnreadable, match="is not known"):
        sync(Origin("https://no-such-host.invalid/repository.git"))
