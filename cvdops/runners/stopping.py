"""Ending all that belongs to a job, and looking whether it is gone."""

import os
import select
import signal
import time
from collections.abc import Iterable

from cvdops.runners.job import Process, StopReport
from cvdops.runners.processes import Entry, alive, boot_id, open_alive
from cvdops.runners.search import Search

KILL_PATIENCE = 5.0  # seconds: a process that is still there after them cannot be ended
_LOOK = 0.1  # seconds between two looks at who is left
_BREATH = 0.002  # seconds
_QUIET_LOOKS = 200  # without a member, where processes are born all the time


def stop(attempt: str, leader: Process | None, grace: float) -> StopReport:
    """TERM to all that is there, after `grace` seconds KILL to all that is there then."""
    search = _search(attempt, leader)
    left = search.everyone()
    _signal_groups(left, signal.SIGTERM)  # once: what they start to clean up must be able to work
    left = _wait_gone(search, grace)
    deadline = time.monotonic() + KILL_PATIENCE
    while left and time.monotonic() < deadline:
        _kill(left)
        left = _vigil(search, deadline, kill=True) or search.everyone()
    return StopReport(not left, _numbers(left))


def running(attempt: str, leader: Process | None) -> tuple[int, ...]:
    """All that there is of a job now, as process ids; none only after looks that can have missed nobody."""
    search = _search(attempt, leader)
    return _numbers(search.everyone() or _vigil(search, 0.0, kill=False))


def _search(attempt: str, leader: Process | None) -> Search:
    """The number of a leader that has ended, and that of its group, may be somebody else's by now."""
    return Search(attempt, leader if leader is not None and alive(leader) else None)


def _numbers(entries: Iterable[Entry]) -> tuple[int, ...]:
    return tuple(sorted(one.pid for one in entries))


def _wait_gone(search: Search, timeout: float) -> list[Entry]:
    """Those that are left when nobody is, or the time is up."""
    deadline = time.monotonic() + timeout
    while left := search.everyone() or _vigil(search, deadline, kill=False):
        patience = deadline - time.monotonic()
        if patience <= 0:
            break
        _await_one(left, min(patience, _LOOK))
    return left


def _vigil(search: Search, deadline: float, *, kill: bool) -> list[Entry]:
    """Look without a pause; none if a look was complete or many saw nobody, else the last that were.

    A chain of short-lived processes, each of which starts the next, is missed by a single look.
    """
    found: list[Entry] = []
    quiet = 0
    while quiet < _QUIET_LOOKS:
        seen = search.newcomers()
        if not seen:
            quiet += 1
            if search.complete:
                break
            continue
        if not kill or time.monotonic() > deadline:
            return seen
        _kill(seen)
        if seen == found:
            time.sleep(_BREATH)  # they are about to end, or nothing can end them
        found, quiet = seen, 0
    return []


def _await_one(entries: Iterable[Entry], timeout: float) -> None:
    """Return when one of them ended, or the time is up."""
    waiting = select.poll()
    descriptors = [fd for one in entries if (fd := open_alive(_process(one))) is not None]
    try:
        for descriptor in descriptors:
            waiting.register(descriptor, select.POLLIN)
        if descriptors:
            waiting.poll(timeout * 1000)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _kill(entries: list[Entry]) -> None:
    """Each by itself, the newest first, then whole groups."""
    for one in sorted(entries, key=lambda one: -one.pid):
        descriptor = open_alive(_process(one))
        if descriptor is None:
            continue
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        except OSError:
            continue  # not ours to end: then it is found among those left
        finally:
            os.close(descriptor)
    _signal_groups(entries, signal.SIGKILL)


def _signal_groups(entries: Iterable[Entry], number: signal.Signals) -> None:
    """To whole groups, so that none of them can start another meanwhile.

    A group of a member has only members: the job began in a session of its own.
    """
    for group in {one.group for one in entries} - {os.getpgrp(), 0, 1}:
        try:
            os.killpg(group, number)
        except OSError:
            continue


def _process(one: Entry) -> Process:
    return Process(one.pid, one.started, boot_id())
