"""Waiting for something to become true, instead of sleeping for a guessed time.

A limit tells what works from what hangs, also on a machine that has no time. How quick something is on
one that has time is said by the benchmarks and by the long faults.
"""

import subprocess
import time
from collections.abc import Callable
from threading import Thread, Timer
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 60.0  # seconds


def until(predicate: Callable[[], T], timeout: float = PATIENCE, what: str = "") -> T:
    """The first true value of `predicate`, asked every 20 ms; fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := predicate()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what or 'what was waited for'}: not within {timeout:g} s")
        time.sleep(0.02)
    return value


def joined(*threads: Thread, timeout: float = PATIENCE) -> None:
    """Wait until all have ended; fails after `timeout` seconds. Daemons keep no process that failed."""
    deadline = time.monotonic() + timeout
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    left = [thread.name for thread in threads if thread.is_alive()]
    assert not left, f"the end of {', '.join(left)}: not within {timeout:g} s"


def next_line(program: "subprocess.Popen[bytes]") -> bytes:
    """What it prints next; fails, and ends it, when it says nothing for a minute."""
    assert program.stdout is not None
    silent = Timer(PATIENCE, program.kill)
    silent.start()
    try:
        line = program.stdout.readline()
    finally:
        silent.cancel()
    assert line, f"{program.args!r} ended, or was ended after {PATIENCE:g} s, before its next line"
    return line
