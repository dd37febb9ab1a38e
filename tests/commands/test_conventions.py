"""What holds for every command of `manage.py`."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class

from cvdops.lib.command import PortalCommand
from cvdops.lib.console import Console

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


@pytest.mark.parametrize(
    "arguments", [("sync",), ("token", "ada", "--name", "x"), ("verify_audit",)]
)
def test_a_database_that_is_away_is_one_sentence(arguments: tuple[str, ...]) -> None:
    environment = {**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("Error: The portal cannot reach its database.")
    assert "Traceback" not in done.stderr


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
