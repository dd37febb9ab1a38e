"""`python -m cvdops.practice`."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cvdops.practice.site import Site
from tests.ports import free_port
from tests.practice.operator import Operator


def practice(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cvdops.practice", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_start_creates_and_answers_without_much_work(site: Site) -> None:
    before = os.times()
    done = practice("start", "--root", str(site.root), "--port", str(site.port))
    after = os.times()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"The practice CVD answers at http://127.0.0.1:{site.port}\n"
    assert Operator(site).get("/health")[0] == 200
    # Not by the clock: the machine may be doing something else too.
    assert sum(after[2:4]) - sum(before[2:4]) < 10


def test_the_environment_names_folder_and_port(site: Site) -> None:
    settings = {"CVDOPS_PRACTICE": str(site.root), "CVDOPS_PRACTICE_PORT": str(site.port)}
    assert practice("start", **settings).returncode == 0
    assert practice("status", **settings).stdout == "cvd: active\nnginx: active\n"


def test_the_port_is_remembered(site: Site) -> None:
    site.create()
    assert practice("start", "--root", str(site.root)).returncode == 0
    assert Operator(site).get("/health")[0] == 200


def test_status_and_stop(site: Site) -> None:
    root = ("--root", str(site.root))
    assert practice("status", *root).returncode == 1
    site.create()
    site.start()
    assert practice("status", *root).returncode == 0
    assert practice("stop", *root).returncode == 0
    assert practice("status", *root).stdout == "cvd: inactive\nnginx: inactive\n"


def test_two_resets_at_once_both_end_well(site: Site) -> None:
    argv = [sys.executable, "-m", "cvdops.practice", "reset", "--root", str(site.root)]
    argv += ["--port", str(site.port)]
    both = [subprocess.Popen(argv, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert Operator(site).get("/health")[0] == 200


def test_a_taken_port_is_said_in_one_sentence(site: Site) -> None:
    with socket.create_server(("127.0.0.1", site.port)):
        done = practice("start", "--root", str(site.root), "--port", str(site.port))
    assert done.returncode == 2
    assert done.stderr.startswith(f"Port {site.port} is taken by another program: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("port", ["0", "many", "70000"])
def test_what_is_no_port_is_refused(tmp_path: Path, port: str) -> None:
    done = practice("start", "--root", str(tmp_path / "site"), "--port", port)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert not (tmp_path / "site").exists()


def test_a_missing_git_is_said_in_one_sentence(tmp_path: Path) -> None:
    done = practice("create", "--root", str(tmp_path / "site"), PATH=str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("git is missing: install it")


def test_a_folder_that_cannot_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    port = str(free_port())
    done = practice("start", "--root", str(tmp_path / "file" / "site"), "--port", port)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "cannot be written" in done.stderr


def test_a_folder_that_cannot_be_in_a_path_is_refused(tmp_path: Path) -> None:
    done = practice("create", "--root", str(tmp_path / "a:b"))
    assert done.returncode == 2
    assert "choose another folder" in done.stderr
