"""Real workers of a test: killed, frozen, drained, and started again by their supervisor."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from urllib.parse import quote

from django.db import Error, connection

from cvdops.executions.models import Execution, Worker
from tests.nursery import Nursery, nursery
from tests.waiting import joined, until


class Workers:
    """`pids` are those of the workers that live now, by their place."""

    def __init__(
        self, folder: Path, count: int, environment: dict[str, str], nursery: Nursery
    ) -> None:
        self.count = count
        self.log = folder / "workers.log"
        self.spool = folder / "spool"
        self.pids: dict[int, int] = {}
        with self.log.open("ab") as log:
            reads, writes = os.pipe()
            self._supervisor = nursery.start(
                ["tests.faults.supervisor", str(count)],
                {"CVDOPS_SPOOL": str(self.spool), **environment},
                stdout=writes,
                stderr=log,
            )
            os.close(writes)
        self._listener = Thread(target=self._listen, args=(reads,), daemon=True)
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
        """Ask all to leave. What they would do after that, for themselves alone, is not waited for."""
        self._supervisor.terminate()
        until(lambda: self._supervisor.poll() is not None or self._have_left(), what="their leave")
        for slot in self.pids:
            self.signal(slot, signal.SIGKILL)
        self._supervisor.wait(60)
        joined(self._listener)

    def _have_left(self) -> bool:
        names = [self.owner(slot) for slot in self.pids]
        with suppress(Error):
            left = Worker.objects.filter(name__in=names).exclude(left_at=None)
            return left.count() == len(names)
        return False

    def _listen(self, told: int) -> None:
        with open(told) as lines:
            for line in lines:
                slot, pid = line.split()
                self.pids[int(slot)] = int(pid)


def database_url() -> str:
    """The address of the database that this process works on."""
    settings = connection.settings_dict
    where = quote(str(settings["HOST"]), safe="")
    return f"postgresql://{settings['USER']}@/{settings['NAME']}?host={where}"


@contextmanager
def workers(
    folder: Path, count: int = 1, parent: Nursery | None = None, **environment: str
) -> Iterator[Workers]:
    """So many, ready, with more in their environment if need be; drained at the end."""
    given = {"DATABASE_URL": database_url(), **environment}
    group = Workers(folder, count, given, parent or nursery())
    try:
        yield group.wait_ready()
    finally:
        group.stop()
