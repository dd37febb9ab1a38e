"""Each obstacle to a start is one sentence with its remedy."""

import os
import socket
from pathlib import Path

import pytest

from cvdops.stack import preflight
from cvdops.stack.parts import StartError


def test_a_missing_tool_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StartError, match=r"git is missing .*apt install git"):
        preflight.tools()


def test_the_data_folder_is_made(tmp_path: Path) -> None:
    preflight.folders(tmp_path / "a b" / "data")
    assert (tmp_path / "a b" / "data" / "run").is_dir()


def test_a_data_folder_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match=r"cannot be written .*CVDOPS_DATA_DIR"):
        preflight.folders(tmp_path / "file" / "data")


def test_a_folder_that_takes_no_files_is_named() -> None:
    with pytest.raises(StartError, match=r"/proc/data cannot be written .*CVDOPS_DATA_DIR"):
        preflight.folders(Path("/proc/data"))  # where not even root may write


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "LEAST_FREE", 2**62)
    with pytest.raises(StartError, match="MB left"):
        preflight.folders(tmp_path)


def test_a_second_system_on_the_same_data_is_refused(tmp_path: Path) -> None:
    preflight.folders(tmp_path)
    message = f"already running on .*process {os.getpid()}"
    with preflight.only_one(tmp_path), pytest.raises(StartError, match=message):
        preflight.only_one(tmp_path)


def test_the_lock_of_an_ended_system_does_not_count(tmp_path: Path) -> None:
    preflight.folders(tmp_path)
    preflight.only_one(tmp_path).close()
    preflight.only_one(tmp_path).close()


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        with pytest.raises(StartError, match="is taken or not allowed"):
            preflight.port(taken)


def test_a_number_that_is_no_port() -> None:
    with pytest.raises(StartError, match="70000 is no port"):
        preflight.port(70000)


def test_a_pair_of_ports_is_not_free_when_the_second_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not preflight.pair_free(server.getsockname()[1] - 1)
