"""A supervisor of real workers: `tests.faults.supervisor COUNT`, a fork of the nursery, keeps so many alive.

It forks, too, so that a worker that was killed is back within a fraction of a second.
Says `SLOT PID` whenever one begins. Ends with its parent, or on TERM after its workers have drained.
"""

import os
import random
import signal
import sys
import time

import cvdops.celery  # noqa: F401 — all that a worker needs but `looks`, as in the nursery
from cvdops.settings import DATA_DIR
from cvdops.stack import portal

PAUSE = 0.1  # seconds until a dead one is started again
PATIENCE = 15.0  # seconds for draining
SIGNALS = {signal.SIGCHLD, signal.SIGTERM}


def work(slot: int) -> None:
    """Become a worker, with the command line of the one-command system."""
    os.setsid()
    os.dup2(2, 1)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    random.seed()  # or all would draw the same numbers
    argv = portal.worker(DATA_DIR, 0).argv[2:]
    argv[argv.index("-n") + 1] = (
        f"worker-{slot}@localhost"  # each proves by its own queue that it lives
    )
    sys.argv = argv
    from celery.__main__ import main  # noqa: PLC0415 (this module has one, too)

    main()


def begin(slot: int) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            work(slot)
        finally:
            os._exit(1)
    os.write(1, f"{slot} {pid}\n".encode())
    return pid


def end(workers: dict[int, int]) -> None:
    """TERM to all; KILL to those that do not leave."""
    for pid in workers:
        os.kill(pid, signal.SIGCONT)
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while workers and time.monotonic() < deadline:
        signal.sigtimedwait(SIGNALS, 0.05)
        collect(workers)
    for pid in workers:
        os.killpg(pid, signal.SIGKILL)


def collect(workers: dict[int, int]) -> list[int]:
    """The slots of those that have ended."""
    free = []
    while workers:
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            break
        free.append(workers.pop(pid))
    return free


def main(count: int) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    parent = os.getppid()
    workers = {begin(slot): slot for slot in range(count)}
    while os.getppid() == parent:
        got = signal.sigtimedwait(SIGNALS, 0.5)
        if got is not None and got.si_signo == signal.SIGTERM:
            break
        for slot in collect(workers):
            time.sleep(PAUSE)
            workers[begin(slot)] = slot
    end(workers)


if __name__ == "__main__":
    main(int(sys.argv[1]))
