"""Which places runbooks may come from."""

import subprocess
import sys

import pytest

from cvdops.catalog.origin import Origin, WrongOrigin, origin, ssh_command


@pytest.mark.parametrize(
    "location",
    [
        "/srv/runbooks",
        "runbooks",
        "/srv/with space/runbooks.git",
        "https://git.example.org/ops/runbooks.git",
        "https://git.example.org:8443/~ops/runbooks",
        "https://[::1]:8443/runbooks.git",
        "ssh://git@git.example.org:2222/ops/runbooks.git",
        "ssh://git.example.org/runbooks.git",
    ],
)
def test_what_is_accepted(location: str) -> None:
    assert origin(location, "release/2.0", "ops/runbooks/") == Origin(
        location, "release/2.0", "ops/runbooks"
    )


@pytest.mark.parametrize(
    "location",
    [
        "",
        "ext::sh -c touch% x",
        "fd::7",
        "::address",
        "--upload-pack=touch x",
        "-u",
        "file:///srv/runbooks.git",
        "http://git.example.org/runbooks.git",
        "git://git.example.org/runbooks.git",
        "git@git.example.org:ops/runbooks.git",
        "ssh://-oProxyCommand=touch/x",
        "ssh://git@-oProxyCommand=touch/x",
        "ssh://-l@git.example.org/x",
        "ssh://git:secret@git.example.org/x",
        "https://token@git.example.org/x",
        "https://git.example.org/x?token=1",
        "https://git.example.org/x#y",
        "https://git.example.org",
        "https:///x",
        "https://git.example.org:port/x",
        "https://git.example.org/a b",
        "https://git.example.org/a\nb",
        "/srv/\x00",
        "x" * 501,
    ],
)
def test_what_is_refused(location: str) -> None:
    with pytest.raises(WrongOrigin, match=r"^CVDOPS_RUNBOOKS .*\.$"):
        origin(location)


@pytest.mark.parametrize(
    "branch",
    [
        *("-x", "--upload-pack=touch x", "a..b", "a b", "a\nb", "a//b", "a/", "/a", ".a", "a."),
        *("a.lock", "a.lock/b", "a:b", "+a", "a^", "a~1", "a@{1}", "*", "a\\b", "x" * 201),
    ],
)
def test_names_that_no_branch_has(branch: str) -> None:
    with pytest.raises(WrongOrigin, match="CVDOPS_RUNBOOKS_BRANCH"):
        origin("/srv/runbooks.git", branch)


@pytest.mark.parametrize(
    "folder", ["/ops", "../ops", "ops/../x", "ops//x", ".", "-x", "ops/.git", ":(top)", "a\nb", "*"]
)
def test_names_that_no_folder_has(folder: str) -> None:
    with pytest.raises(WrongOrigin, match="CVDOPS_RUNBOOKS_FOLDER"):
        origin("/srv/runbooks.git", "", folder)


def test_an_address_as_scp_writes_it_is_told_the_other_way() -> None:
    with pytest.raises(WrongOrigin, match=r"ssh://git@example\.org/ops/runbooks\.git\.$"):
        origin("git@example.org:ops/runbooks.git")


def test_the_command_for_ssh_may_have_options() -> None:
    assert ssh_command("ssh -i '/run/my key'") == ("ssh", "-i", "/run/my key")


@pytest.mark.parametrize("words", ["", " ", "ssh 'key"])
def test_what_is_no_command(words: str) -> None:
    with pytest.raises(WrongOrigin, match="CVDOPS_RUNBOOKS_SSH"):
        ssh_command(words)


def test_a_wrong_setting_stops_the_start_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CVDOPS_RUNBOOKS", "ext::sh -c true")
    command = [sys.executable, "-c", "import cvdops.settings"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "ImproperlyConfigured: CVDOPS_RUNBOOKS is neither" in done.stderr.splitlines()[-1]
