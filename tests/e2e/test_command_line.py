"""Every command that docs/cli.md shows, and the script that deploys by the API, against the whole system."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cvdops.stack.portal import PROJECT
from tests.ports import free_port
from tests.stack.launching import FOREIGN, Launched

pytestmark = pytest.mark.e2e
COMMAND = re.compile(r"^\$ (.+?)(?:  # ends with (\d+))?$", re.MULTILINE)


def environment(data: Path, folder: Path) -> dict[str, str]:
    """Of somebody who works with a system: its data, `cvdops` and `python` by their names."""
    (folder / "bin").mkdir(exist_ok=True)
    for name, what in (("cvdops", "-m cvdops.client "), ("python", "")):
        program = folder / "bin" / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {what}"$@"\n')
        program.chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if k not in FOREIGN | {"CVDOPS_URL"}}
    return {
        **kept,
        "CVDOPS_DATA_DIR": str(data),
        "HOME": str(folder),
        "PYTHONPATH": str(PROJECT),
        "PATH": f"{folder}/bin:{os.environ['PATH']}",
    }


def test_every_command_of_the_page_does_what_it_says(system: Launched, tmp_path: Path) -> None:
    text = (PROJECT / "docs" / "cli.md").read_text().replace(":8000", f":{system.port}")
    wanted = [(typed, int(code or 0)) for typed, code in COMMAND.findall(text)]
    for name in ("runbooks", "docs", "manage.py"):
        (tmp_path / name).symlink_to(PROJECT / name)
    lines = [f'{typed}\necho "@@@ $?" >&2' for typed, _ in wanted]
    done = subprocess.run(
        ["/bin/sh", "-c", "\n".join(lines)],
        cwd=tmp_path,
        env=environment(system.data, tmp_path),
        capture_output=True,
        text=True,
        timeout=600,
    )
    ended = [int(code) for code in re.findall(r"^@@@ (\d+)$", done.stderr, re.MULTILINE)]
    told = dict(zip((typed for typed, _ in wanted), ended, strict=True))
    assert told == dict(wanted), done.stderr
    assert "Written: cvd_manual" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.fixture
def bare() -> Iterator[Path]:
    """A folder with nothing in it, through which PostgreSQL's user may pass."""
    with tempfile.TemporaryDirectory(prefix="cvdops-bare-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def test_the_script_goes_from_a_bare_machine_to_a_deployed_release(bare: Path) -> None:
    program = subprocess.Popen(
        [sys.executable, "docs/deploy_by_api.py", "--port", str(free_port())],
        cwd=PROJECT,
        env=environment(bare / "data", bare),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = program.communicate(timeout=600)
    finally:
        if program.poll() is None:
            os.killpg(program.pid, signal.SIGINT)
            program.wait(60)
    assert program.returncode == 0, said
    assert "Approved: " in said and " runs v1.0.1." in said
