"""Somebody at a shell of the machine that a system runs on."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from cvdops.stack.portal import PROJECT
from tests.ports import free_port
from tests.stack.launching import FOREIGN
from tests.waiting import until

# The program that asks, which needs next to nothing of Python: SOCKET, then the arguments of `manage.py`.
ASK = """\
import json, os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
    door.connect(sys.argv[1])
    asked = {"folder": os.getcwd(), "line": sys.argv[2:], "environment": dict(os.environ)}
    socket.send_fds(door, [json.dumps(asked).encode()], [0, 1, 2])
    sys.exit(int(door.recv(8)))
"""


@dataclass(frozen=True)
class Told:
    """What each line ended with, and what all of them said."""

    ended: list[int]
    out: str
    err: str


def environment(data: Path, folder: Path) -> dict[str, str]:
    """Of somebody who works with a system: its data, a home, and programs in `folder`/bin."""
    kept = {k: v for k, v in os.environ.items() if k not in FOREIGN | {"CVDOPS_URL"}}
    return {
        **kept,
        "CVDOPS_DATA_DIR": str(data),
        "HOME": str(folder),
        "PYTHONPATH": str(PROJECT),
        "PATH": f"{folder}/bin:{os.environ['PATH']}",
    }


@contextmanager
def loaded(given: dict[str, str]) -> Iterator[Path]:
    """`manage.py` with these settings, loaded once for many lines: the socket at which it is asked."""
    with tempfile.TemporaryDirectory(prefix="cvdops-manage-") as folder:
        door = Path(folder) / "socket"
        command = [sys.executable, "-m", "tests.e2e.loaded", str(door)]
        with subprocess.Popen(command, cwd=PROJECT, env=given) as server:
            try:
                until(lambda: door.exists() or server.poll() is not None, what="manage.py")
                yield door
            finally:
                server.terminate()


def programs(folder: Path, door: Path) -> None:
    """`cvdops`, `python` and `manage.py` by their names, the last one loaded."""
    (folder / "bin").mkdir(exist_ok=True)
    python, ask = quote(sys.executable), f"-S -E -c {quote(ASK)} {quote(str(door))}"
    scripts = {
        "cvdops": f'exec {python} -S -m cvdops.client "$@"',
        "manage.py": f'exec {python} {ask} "$@"',
        "python": f'[ "$1" = manage.py ] && exec "$@"\nexec {python} "$@"',
    }
    for name, script in scripts.items():
        program = folder / "bin" / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)


def deployed(folder: Path) -> "subprocess.CompletedProcess[str]":
    """The script of the documentation, carried out on a machine that has nothing but `folder`."""
    with subprocess.Popen(
        [sys.executable, "docs/deploy_by_api.py", "--port", str(free_port())],
        cwd=PROJECT,
        env=environment(folder / "data", folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as program:
        try:
            said, _ = program.communicate(timeout=600)
        finally:
            if program.poll() is None:
                os.killpg(program.pid, signal.SIGINT)
    return subprocess.CompletedProcess(program.args, program.returncode, said)


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
