"""Watchers, `ssh` processes and sessions are killed at random moments."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from cvdops.runners.job import Job
from cvdops.runners.ssh import SshTransport
from tests.runners.bench import Bench
from tests.sshd import Sshd
from tests.waiting import until

JOBS = 5

# Stores what it reads, and goes on where the stored output ends; as a worker does.
WATCHER = """
import sys
from pathlib import Path
from cvdops.runners.job import AlreadyClaimed, Job, Presence, Unreachable, Wakeup
from cvdops.runners.ssh import Address, SshTransport
folder, stored = Path(sys.argv[1]), Path(sys.argv[2])
job, address = map(eval, sys.argv[3:])
transport = SshTransport(address, folder, config=folder / "account" / "config")

def begin():
    found = transport.attach(job.attempt)
    if found.presence is not Presence.ABSENT:
        return found.handle
    try:
        return transport.start(job)
    except AlreadyClaimed:
        return transport.attach(job.attempt).handle

while True:
    try:
        handle = begin()
        break
    except Unreachable:
        pass
with stored.open("ab", buffering=0) as file:
    while True:
        result = handle.result()
        while data := handle.read(file.tell(), 1 << 16):
            file.write(data)
        if result is not None:
            break
        handle.wait(file.tell(), 1, None)
stored.with_suffix(".code").write_text(str(result.exit_code))
"""


class Supervisor:
    """Keeps one watcher for each job alive until it is done."""

    def __init__(self, transport: SshTransport, folder: Path, jobs: list[Job]) -> None:
        self._transport = transport
        self._jobs = {folder / f"{number}.out": job for number, job in enumerate(jobs)}
        self._watchers: dict[Path, subprocess.Popen[bytes]] = {}

    def tend(self) -> bool:
        """Start the watchers that are missing; whether all jobs are done."""
        undone = [one for one in self._jobs if not one.with_suffix(".code").exists()]
        for stored in undone:
            watcher = self._watchers.get(stored)
            if watcher is None or watcher.poll() is not None:
                self._watchers[stored] = self._watch(stored)
        return not undone

    def alive(self) -> list[int]:
        return [one.pid for one in self._watchers.values() if one.poll() is None]

    def wait(self) -> None:
        """Until all jobs are done and their watchers have ended."""
        until(self.tend, timeout=180)
        for watcher in self._watchers.values():
            watcher.wait(60)

    def outputs(self) -> list[bytes]:
        return [stored.read_bytes() for stored in self._jobs]

    def _watch(self, stored: Path) -> "subprocess.Popen[bytes]":
        words = (repr(self._jobs[stored]), repr(self._transport.address))
        folder = self._transport.client.folder
        return subprocess.Popen([sys.executable, "-S", "-c", WATCHER, folder, stored, *words])


def ssh_processes(word: bytes) -> list[int]:
    """Channels and connections of the portal's side."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            if command.startswith(b"ssh") and word in command:
                found.append(int(folder.name))
    return found


@pytest.mark.parametrize("kills", [8, pytest.param(100, marks=pytest.mark.faults)])
def test_every_step_begins_once_and_loses_nothing(
    server: Sshd, tmp_path: Path, open_transports: list[SshTransport], kills: int
) -> None:
    transport = server.transport(tmp_path)
    open_transports.append(transport)
    transport.spool()
    count = server.login.home / f"count-{kills}"
    lines = 3 * kills
    loop = f"for i in {{1..{lines}}}; do echo line $i; sleep 0.1; done"
    script = f"echo $CVDOPS_ATTEMPT >>{count}; {loop}"
    jobs = [Bench(transport).job(script) for _ in range(JOBS)]
    supervisor = Supervisor(transport, tmp_path, jobs)
    word = transport.link.master.socket.encode()
    for _ in range(kills):
        supervisor.tend()
        time.sleep(random.uniform(0, 0.3))  # noqa: S311 — the random moment
        victims = [*supervisor.alive(), *ssh_processes(word), *server.processes()[:-1]]
        with suppress(ProcessLookupError):
            os.kill(random.choice(victims), signal.SIGKILL)  # noqa: S311
    supervisor.wait()
    assert (
        supervisor.outputs() == ["".join(f"line {i + 1}\n" for i in range(lines)).encode()] * JOBS
    )
    assert sorted(count.read_text().split()) == sorted(job.attempt for job in jobs)
