"""Ending all that belongs to a job, and looking whether it is gone."""

import os
import select
import signal
import time
from collections.abc import Iterable

from cvdops.runners.job import Process, StopReport
from cvdops.runners.processes import Entry, alive, boot_id, members, open_alive

KILL_PATIENCE = 5.0  # seconds: a process that is still there after them cannot be ended
_LOOK = 0.1  # seconds between two looks at who is left
_BREATH = 0.01  # seconds at least, or many short-lived processes would make the looks a busy loop


def stop(attempt: str, leader: Process | None, grace: float) -> StopReport:
    """TERM to all that is there, after `grace` seconds KILL to all that is there then."""
    if leader is not None and not alive(leader):
        leader = None  # its number, and that of its group, may be somebody else's by now
    left = members(attempt, leader)
    _send(left, signal.SIGTERM)  # once: what they start to clean up must be able to work
    left = _wait_gone(attempt, leader, grace)
    deadline = time.monotonic() + KILL_PATIENCE
    while left and time.monotonic() < deadline:
        _send(left, signal.SIGKILL)
        left = _wait_gone(attempt, leader, _LOOK)
    return StopReport(not left, tuple(sorted(one.pid for one in left)))


def _wait_gone(attempt: str, leader: Process | None, timeout: float) -> list[Entry]:
    """Those that are left when nobody is, or the time is up."""
    deadline = time.monotonic() + timeout
    while left := members(attempt, leader):
        patience = deadline - time.monotonic()
        if patience <= 0:
            break
        _await_one(left, min(patience, _LOOK))
    return left


def _await_one(entries: Iterable[Entry], timeout: float) -> None:
    """Return when one of them ended, or the time is up."""
    waiting = select.poll()
    descriptors = []
    for one in entries:
        descriptor = open_alive(_process(one))
        if descriptor is not None:
            descriptors.append(descriptor)
            waiting.register(descriptor, select.POLLIN)
    try:
        waiting.poll(timeout * 1000 if descriptors else 0)
        time.sleep(min(timeout, _BREATH))
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _send(entries: Iterable[Entry], number: signal.Signals) -> None:
    """To whole groups, so that none of them can start another meanwhile, and to each by itself.

    A group of a member has only members: the job began in a session of its own.
    """
    entries = list(entries)
    for group in {one.group for one in entries} - {os.getpgrp(), 0, 1}:
        try:
            os.killpg(group, number)
        except OSError:
            continue  # gone, or not ours: then it is found among those left
    if number is signal.SIGKILL:
        for one in entries:
            _kill(one)


def _kill(one: Entry) -> None:
    descriptor = open_alive(_process(one))
    if descriptor is None:
        return
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except OSError:
        return
    finally:
        os.close(descriptor)


def _process(one: Entry) -> Process:
    return Process(one.pid, one.started, boot_id())
