"""Somebody at a shell of the machine that a system runs on."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cvdops.stack.portal import PROJECT
from tests.stack.launching import FOREIGN


@dataclass(frozen=True)
class Told:
    """What each line ended with, and what all of them said."""

    ended: list[int]
    out: str
    err: str


def environment(data: Path, folder: Path) -> dict[str, str]:
    """Of somebody who works with a system: its data, `cvdops`, `python`, `manage.py` by their names."""
    (folder / "bin").mkdir(exist_ok=True)
    programs = {"cvdops": "-m cvdops.client ", "python": "", "manage.py": f"'{PROJECT}/manage.py' "}
    for name, what in programs.items():
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


def typed(lines: Sequence[str], folder: Path, given: dict[str, str]) -> Told:
    """These lines one after the other in one shell, in this folder."""
    for name in ("runbooks", "docs", "manage.py"):
        if not (folder / name).exists():
            (folder / name).symlink_to(PROJECT / name)
    done = subprocess.run(
        ["/bin/sh", "-c", "\n".join(f'{line}\necho "@@@ $?" >&2' for line in lines)],
        cwd=folder,
        env=given,
        capture_output=True,
        text=True,
        timeout=600,
    )
    ended = re.findall(r"^@@@ (\d+)$", done.stderr, re.MULTILINE)
    assert "Traceback" not in done.stderr, done.stderr
    return Told([int(code) for code in ended], done.stdout, done.stderr)
