"""What holds for every command of `manage.py`."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class

from cvdops.lib.command import PortalCommand
from cvdops.lib.console import Console
from tests.e2e.shell import ASK, loaded

PROJECT = Path(__file__).parents[2]
OURS = sorted(name for name, app in get_commands().items() if str(app).startswith("cvdops."))


def test_these_are_the_commands() -> None:
    named = "demo doctor grant lint parse person restored retention rotate_keys run sync token verify_audit"
    assert named.split() == OURS


@pytest.mark.parametrize("name", OURS)
def test_its_help_teaches_and_it_speaks_json(name: str) -> None:
    command = load_command_class(get_commands()[name], name)
    assert isinstance(command, PortalCommand)
    said = command.create_parser("manage.py", name).format_help()
    assert f"  manage.py {name}" in said[said.index("examples:") :]
    assert "exit codes:\n  0    " in said and "--json" in said
    assert all(typed.startswith("manage.py ") for typed, _ in command.examples)


@pytest.mark.django_db
def test_an_error_is_json_too() -> None:
    out = StringIO()
    with pytest.raises(CommandError) as error:
        call_command("token", "nobody", name="x", json=True, stdout=out)
    assert json.loads(out.getvalue()) == {
        "error": {"code": "error", "detail": "There is no open account nobody."}
    }
    assert error.value.returncode == 2


@pytest.mark.django_db
def test_what_does_not_fit_is_named_for_programs() -> None:
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("person", "Not A Name", json=True, stdout=out)
    assert json.loads(out.getvalue())["error"]["code"] == "invalid"


@pytest.fixture(scope="module")
def away() -> Iterator[Path]:
    """`manage.py` where no database answers."""
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    with loaded({**os.environ, "DATABASE_URL": nowhere}) as door:
        yield door


@pytest.mark.parametrize(
    "arguments", [("sync",), ("token", "ada", "--name", "x"), ("verify_audit",)]
)
def test_a_database_that_is_away_is_one_sentence(away: Path, arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-c", ASK, str(away), *arguments],
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("Error: The portal cannot reach its database.")
    assert "Traceback" not in done.stderr


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=180,
    )


def test_a_wrong_setting_and_a_wrong_line_are_json_too() -> None:
    done = manage("doctor", "--json", DATABASE_URL="garbage")
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (2, "settings")
    done = manage("token", "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (2, "usage")


def test_no_command_loads_the_pages_at_its_start() -> None:
    """They and the API take seconds; what runs needs the addresses of two of them."""
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'cvdops.settings'\n"
        "from django.core.management import ManagementUtility\n"
        "try: ManagementUtility(['manage.py', *'run x --env y --as z'.split()]).execute()\n"
        "except SystemExit: print('cvdops.web.followed' in sys.modules, 'cvdops.urls' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env={**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.stdout == "True False\n", done.stderr


def test_ctrl_c_while_it_is_loaded_is_130_and_no_trace() -> None:
    code = (
        "import runpy, signal, sys\n"
        "class Loading:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'cvdops.celery': signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Loading()); sys.argv = ['manage.py', 'doctor']\n"
        "runpy.run_path('manage.py', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=180
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_times_for_programs_are_those_of_the_api() -> None:
    out = StringIO()
    Console(out, StringIO()).say_json({"at": datetime(2026, 11, 27, 19, 6, 30, 647502, UTC)})
    assert json.loads(out.getvalue()) == {"at": "2026-11-27T19:06:30.647502Z"}


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_only_on_a_terminal_and_never_against_no_color(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert Console(StringIO(), StringIO()).painted("x", "ok") == "x"
    assert Console(StringIO(), Terminal()).painted("x", "ok") == "\x1b[32mx\x1b[0m"
    assert Console(Terminal(), StringIO()).painted("x", "ok", aside=False) == "\x1b[32mx\x1b[0m"
    assert Console(StringIO(), StringIO(), colours=True).painted("x", "ok") != "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert Console(StringIO(), Terminal()).painted("x", "ok") == "x"
