"""Starts and watches a one-command system of its own, as `make up` does."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from cvdops.stack.portal import PROJECT, answers
from cvdops.stack.process import Identity, command, identify
from cvdops.stack.records import Records
from tests.waiting import until

# What the test run sets for itself would be taken for servers that a person has chosen.
FOREIGN = {"DATABASE_URL", "REDIS_URL", "CVDOPS_TEST_FOLDER"}


class Launched:
    """`data` may have spaces in its path. What the system says is in `said()`."""

    def __init__(self, data: Path, port: int, name: str = "said") -> None:
        self.data = data
        self.port = port
        self.seen: set[Identity] = set()
        self.output = data.with_name(name)
        self.launch()

    def launch(self) -> None:
        """Start it: again, when it has ended."""
        environment = {k: v for k, v in os.environ.items() if k not in FOREIGN}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cvdops.stack", "--port", str(self.port)],
                cwd=PROJECT,
                env={**environment, "CVDOPS_DATA_DIR": str(self.data)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def running(self) -> bool:
        return self.process.poll() is None

    def said(self) -> str:
        return self.output.read_text()

    def wait_ready(self) -> "Launched":
        until(self._ready_or_ended, 180, "Ready")
        assert self.process.poll() is None, self.said()
        return self

    def _ready_or_ended(self) -> bool:
        return "Ready:" in self.said() or self.process.poll() is not None

    def healthy(self) -> bool:
        return answers(self.port, "/readyz")

    def pid(self, part: str) -> int:
        return Records(self.data / "run" / "parts.json").read()[part].pid

    def end(self, how: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(60)

    def left(self) -> list[int]:
        """Every process of the system that lives: seen as a descendant, or naming its folder."""
        self.seen |= {seen for pid in self._family() if (seen := identify(pid))}
        alive = {process.pid for process in self.seen if process.alive()}
        return sorted(alive | {p for p in parents() if str(self.data) in " ".join(command(p))})

    def _family(self) -> set[int]:
        parent, family = parents(), {self.process.pid}
        while more := {pid for pid, above in parent.items() if above in family} - family:
            family |= more
        return family


def parents() -> dict[int, int]:
    """Every process of this machine → its parent."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            found[int(folder.name)] = int(fields[1])
    return found
