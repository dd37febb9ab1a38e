"""`manage.py sync`."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from cvdops.catalog.origin import Origin
from tests.catalog.repositories import BROKEN_STEP, Work, document, make

PROJECT = Path(__file__).parents[2]
pytestmark = pytest.mark.django_db


@pytest.fixture
def work(tmp_path: Path, settings: Settings) -> Work:
    work = make(tmp_path / "source", one=document("one"))
    settings.RUNBOOKS = Origin(str(work.folder))
    return work


def run() -> list[str]:
    out = StringIO()
    call_command("sync", stdout=out)
    return out.getvalue().splitlines()


def test_it_says_per_file_what_it_did(work: Work) -> None:
    head = work.git("rev-parse", "HEAD")
    assert run() == ["one.md: added", f"The catalog stands at {head}."]
    assert run()[0] == "one.md: unchanged"


def test_a_file_to_mend_is_told_as_by_a_compiler_and_ends_with_1(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    work.commit(one=document("one", more=BROKEN_STEP), two=document("one"))
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            call_command("sync")
        assert ended.value.code == 1
        said = capsys.readouterr().out
        assert "one.md:19: broken: " in said
        assert "two.md:3: refused: one.md has the id one already." in said


@pytest.mark.usefixtures("work")
def test_a_source_that_cannot_be_read_ends_with_2(settings: Settings) -> None:
    settings.RUNBOOKS = Origin("/nowhere")
    with pytest.raises(CommandError, match="/nowhere, cannot be read") as ended:
        run()
    assert ended.value.returncode == 2


def test_settings_that_name_no_source_are_one_sentence() -> None:
    command = [sys.executable, "manage.py", "sync"]
    environment = {**os.environ, "CVDOPS_RUNBOOKS": "ext::x"}
    done = subprocess.run(
        command, env=environment, cwd=PROJECT, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 2
    assert done.stderr == "CVDOPS_RUNBOOKS is neither a path nor an address: 'ext::x'.\n"
