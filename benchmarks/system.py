"""The one-command system, started for a measurement in a folder of its own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class System:
    """A running system."""

    port: int
    process: "subprocess.Popen[str]"
    data: Path
    seconds: float  # from the command to Ready

    def pids(self, program: str) -> list[int]:
        """Its processes of a program, by a word of their command line; the newest last."""
        found = [self.process.pid]
        for pid in found:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                found += [int(child) for child in children.read_text().split()]
        return [pid for pid in found if program in Path(f"/proc/{pid}/cmdline").read_text()]


@contextmanager
def running(data: Path) -> Iterator[System]:
    """Start it, wait for Ready, and stop it at the end."""
    port = _free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "cvdops.stack", "--port", str(port)],
        cwd=PROJECT,
        # The runbooks that are measured come from folders of their own.
        env={**os.environ, "CVDOPS_DATA_DIR": str(data), "CVDOPS_RUNBOOKS_POLL": "0"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _await_ready(process)
        yield System(port, process, data, time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def memory(pid: int, name: str) -> float:
    """A line of a process's status, `VmRSS` or `VmHWM`, in MB."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that goes away afterwards, open to the user that PostgreSQL runs as."""
    with tempfile.TemporaryDirectory(prefix="cvdops-bench-") as name:
        path = Path(name)
        path.chmod(0o711)
        yield path


def connect(data: Path) -> None:
    """Let this process use the running system's database and queue."""
    os.environ["CVDOPS_DATA_DIR"] = str(data)
    environment = json.loads((data / "run" / "environment.json").read_text())
    os.environ.update({name: str(value) for name, value in environment.items()})
    os.environ["DJANGO_SETTINGS_MODULE"] = "cvdops.settings"
    import django

    django.setup()
    import cvdops.celery
    import cvdops.urls  # noqa: F401
    from cvdops.lib.process import settle

    settle()  # pages that are asked for in this process answer as those of the web server


def _await_ready(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Ready:"):
            return
    raise SystemExit("The system did not start; its logs say why.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
