"""Real workers of a test: killed, frozen, drained, and started again by their supervisor."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from urllib.parse import quote

from django.db import connection

from cvdops.executions.models import Execution, Worker
from tests.waiting import until


class Workers:
    """`pids` are those of the workers that live now, by their place."""

    def __init__(self, folder: Path, count: int, environment: dict[str, str]) -> None:
        self.count = count
        self.log = folder / "workers.log"
        self.spool = folder / "spool"
        self.pids: dict[int, int] = {}
        with self.log.open("ab") as log:
            self._nursery = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.nursery", str(count)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "CVDOPS_SPOOL": str(self.spool), **environment},
                start_new_session=True,
            )
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    def wait_ready(self) -> "Workers":
        """Until each has said in the database that it serves."""
        until(lambda: self.ready() == self.count, what="workers that serve")
        return self

    def ready(self) -> int:
        return Worker.objects.filter(name__in=[self.owner(slot) for slot in self.pids]).count()

    def owner(self, slot: int) -> str:
        """How it calls itself in a lease."""
        return f"{socket.gethostname()}:{self.pids[slot]}"

    def kill(self, slot: int) -> str:
        """The whole process group, at once. Returns how it called itself."""
        owner = self.owner(slot)
        self.signal(slot, signal.SIGKILL)
        return owner

    def freeze(self, slot: int) -> None:
        self.signal(slot, signal.SIGSTOP)

    def thaw(self, slot: int) -> None:
        self.signal(slot, signal.SIGCONT)

    def drain(self, slot: int) -> int:
        """Ask it to leave. Returns its process number."""
        pid = self.pids[slot]
        with suppress(ProcessLookupError):  # as below
            os.kill(pid, signal.SIGTERM)
        return pid

    def signal(self, slot: int, number: int) -> None:
        with suppress(ProcessLookupError):  # it ended by itself just now, or has no group yet
            os.killpg(self.pids[slot], number)

    def watches(self, slot: int) -> int:
        """How many steps it watches: it holds a descriptor of each one's process."""
        found = 0
        for descriptor in Path(f"/proc/{self.pids[slot]}/fd").iterdir():
            with suppress(OSError):
                found += "pidfd" in str(descriptor.readlink())
        return found

    def holder(self, execution: Execution) -> int:
        """The place of the worker that holds it, as soon as one does."""

        def slot() -> int | None:
            owner = Execution.objects.values_list("lease_owner", flat=True).get(pk=execution.pk)
            return next((one for one in self.pids if self.owner(one) == owner), None)

        return until(lambda: (found := slot()) is not None and [found], what="a holder")[0]

    def stop(self) -> None:
        self._nursery.terminate()
        self._nursery.wait(60)
        self._listener.join()

    def _listen(self) -> None:
        assert self._nursery.stdout is not None
        with self._nursery.stdout as lines:
            for line in lines:
                slot, pid = line.split()
                self.pids[int(slot)] = int(pid)


def database_url() -> str:
    """The address of the database that this process works on."""
    settings = connection.settings_dict
    where = quote(str(settings["HOST"]), safe="")
    return f"postgresql://{settings['USER']}@/{settings['NAME']}?host={where}"


@contextmanager
def workers(folder: Path, count: int = 1, **environment: str) -> Iterator[Workers]:
    """So many, ready, with more in their environment if need be; drained at the end."""
    group = Workers(folder, count, {"DATABASE_URL": database_url(), **environment})
    try:
        yield group.wait_ready()
    finally:
        group.stop()
