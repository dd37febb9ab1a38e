"""Processes that have the portal loaded when they begin: forks of one program, which loads it once.

To start Python and load the portal takes seconds of processor time, for each web server, worker and victim
of a test. Here it takes a moment, and they are processes all the same: killed, frozen, looked at.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import IO

from cvdops.stack.parts import Part, Running
from cvdops.stack.portal import PROJECT
from tests.waiting import PATIENCE

Stream = int | IO[bytes]
LOADING = 120.0  # seconds for the portal to be loaded, and to fork


class Process:
    """One of them, as `subprocess.Popen` has it."""

    def __init__(self, pid: int, end: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._end = end  # where the nursery writes how it ended

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float = PATIENCE) -> int:
        """Raises subprocess.TimeoutExpired."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float) -> int | None:
        if self.returncode is None and select.select([self._end], [], [], timeout)[0]:
            self.returncode = int(os.read(self._end, 16))
            os.close(self._end)
        return self.returncode


class Nursery:
    """The program, with more in its environment if need be."""

    def __init__(self, **environment: str) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._orders.settimeout(LOADING)
        self._turn = threading.Lock()
        with theirs:
            self._program = subprocess.Popen(
                [sys.executable, "-m", "tests.nursery"],
                stdin=theirs,
                cwd=PROJECT,
                env={**os.environ, **environment},
                start_new_session=True,
            )

    def start(
        self,
        words: list[str],
        environment: dict[str, str],
        *,
        stdin: Stream = subprocess.DEVNULL,
        stdout: Stream = subprocess.DEVNULL,
        stderr: Stream = subprocess.DEVNULL,
    ) -> Process:
        """`python -m WORDS…`, in a session of its own; its environment is this one and `environment`."""
        order = {"words": words, "environment": {**os.environ, **environment}}
        end, writes = os.pipe()
        nothing = os.open(os.devnull, os.O_RDWR)
        streams = [nothing if one == subprocess.DEVNULL else one for one in (stdin, stdout, stderr)]
        numbers = [one if isinstance(one, int) else one.fileno() for one in streams]
        try:
            with self._turn:
                socket.send_fds(self._orders, [json.dumps(order).encode()], [*numbers, writes])
                try:
                    return Process(int(self._orders.recv(16)), end)
                except TimeoutError:
                    raise AssertionError(f"no fork for {words} within {LOADING:g} s") from None
        finally:
            os.close(nothing)
            os.close(writes)

    def close(self) -> None:
        """It ends, and takes no orders any more; what it has begun lives on."""
        self._orders.close()
        try:
            self._program.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._program.kill()
            raise


@cache
def nursery() -> Nursery:
    """The one of this test process."""
    shared = Nursery()
    atexit.register(shared.close)
    return shared


class Forked(Running):
    """A started part of the system that is a fork of the nursery."""

    def __init__(self, part: Part, log: Path) -> None:
        self.part = part
        self.log = log
        with log.open("ab") as output:
            self.process = nursery().start(
                part.argv[2:], dict(part.environment), stdout=output, stderr=output
            )
