"""A process is told apart from a later one with the same number."""

import os
import subprocess
import sys
from pathlib import Path

from cvdops.stack.process import Identity, command, identify
from cvdops.stack.records import Records, write_private


def test_this_process_is_alive() -> None:
    assert identify(os.getpid()).alive()


def test_a_number_that_was_given_again_is_another_process() -> None:
    assert not Identity(os.getpid(), "of an earlier boot").alive()


def test_an_ended_process_is_not_alive_even_while_nobody_has_waited_for_it() -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        identity = identify(sleeper.pid)
        identity.end()
        assert not identity.alive()


def test_the_command_of_a_process() -> None:
    assert command(os.getpid())[0] == sys.executable or "python" in command(os.getpid())[0]


def test_a_torn_record_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "parts.json"
    path.write_text('{"web": {"pid"')
    assert Records(path).read() == {}


def test_a_private_file_is_for_its_owner_only(tmp_path: Path) -> None:
    write_private(tmp_path / "key", "secret")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
