"""Leases: one worker at a time holds an execution, and the former one is refused by the row.

The holder's own deadline runs on the monotonic clock, from before the renewal was sent.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from cvdops.executions.states import ENDING, ExecutionEvent, Intent, Phase
from cvdops.executions.transitions import Hand, Superseded

SECONDS = 15.0
MAX_LOST = 8  # leases lost without progress: then nothing more is begun before a person has looked
PAUSE = (
    8.0  # seconds: the longest that one is left alone, so that others come to their turn between
)
STEADY = 60.0  # seconds of holding one, which are progress, too: a step may take longer than that
POISONED = "poisoned"  # of `waiting_for`: as many were lost
# Nobody holds it any more. Each worker that dies on it from the third on has the next one wait twice as long.
RAN_OUT = f"""lease_until < clock_timestamp() - make_interval(
    secs => CASE WHEN lost_leases < 2 THEN 0 ELSE least(2.0 ^ (lost_leases - 1), {PAUSE}) END)"""
UNCONFIRMED = "unconfirmed"  # of `waiting_for`: a stop was asked for, and its host did not answer


class Leave(Exception):
    """This process is going down: the steps go on, and the next worker attaches to them."""


@dataclass(slots=True, eq=False)
class Hold:
    """A lease that this process holds, and who is to be woken when something is asked of it."""

    execution: UUID
    token: int
    deadline: float  # on the monotonic clock
    lost_before: int
    intent: str = Intent.NONE
    lost: bool = False
    refused: bool = False  # a write was, while it was valid: counted, or that might go on for ever
    since: float = field(default_factory=time.monotonic)
    _watchers: set[int] = field(default_factory=set)  # eventfds
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def hand(self) -> Hand:
        return Hand(self.execution, self.token)

    @property
    def valid(self) -> bool:
        """Whether the holder may still decide anything."""
        return not self.lost and time.monotonic() < self.deadline

    @property
    def ending(self) -> bool:
        """Whether somebody asked for the end of it: what runs is stopped, and nothing begins."""
        return self.intent in ENDING

    @contextmanager
    def watching(self) -> Iterator[int]:
        """An eventfd of one watcher, readable as soon as something changed."""
        wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        with self._lock:
            self._watchers.add(wake)
        try:
            yield wake
        finally:
            with self._lock:
                self._watchers.discard(wake)
            os.close(wake)

    def lose(self) -> None:
        """Let every watcher of this lease leave without another word."""
        self.lost = True
        self.nudge()

    def nudge(self) -> None:
        with self._lock:
            for wake in self._watchers:
                os.eventfd_write(wake, 1)


def calm(wake: int) -> None:
    """Take back the nudges that have been noticed."""
    try:
        os.eventfd_read(wake)
    except BlockingIOError:
        return


class Holds:
    """The leases of this process, by execution. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[UUID, Hold] = {}
        self._dropped: list[Hold] = []
        self.draining = threading.Event()

    def add(self, hold: Hold) -> None:
        with self._lock:
            former = self._held.get(hold.execution)
            self._held[hold.execution] = hold
        if former is not None:
            former.lose()  # its lease ran out in this process: nobody renews it any more

    def remove(self, hold: Hold) -> None:
        with self._lock:
            if self._held.get(hold.execution) is hold:
                del self._held[hold.execution]

    def all(self) -> list[Hold]:
        with self._lock:
            return list(self._held.values())

    def drop(self, hold: Hold) -> None:
        """Nobody here works on it any more, and the row may still say so until `give_back` mends it."""
        with self._lock:
            self._dropped.append(hold)

    def dropped(self) -> list[Hold]:
        """Those that were dropped since the last call."""
        with self._lock:
            found, self._dropped = self._dropped, []
            return found

    def nudge(self, execution: UUID) -> bool:
        """Wake the watcher of this execution, if it is held here."""
        with self._lock:
            hold = self._held.get(execution)
            if hold is None:
                return False
            hold.nudge()
            return True

    def drain(self) -> None:
        """Let every watcher of this process leave; the steps themselves go on."""
        self.draining.set()
        with self._lock:
            for hold in self._held.values():
                hold.nudge()


HOLDS = Holds()


def claim(execution: UUID, owner: str) -> Hold | None:
    """Take the lease, if the execution has something to do and nobody holds it. None otherwise."""
    before = time.monotonic()
    with transaction.atomic():
        row = _take(execution, owner)
        if row is None:
            return None
        token, phase, intent, lost = row
        hand = Hand(execution, token)
        event = ExecutionEvent.CLAIM if phase == Phase.FORWARD else ExecutionEvent.CLAIM_ROLLBACK
        hand.move(event, {"owner": owner, "token": token}, waiting_for={}, due_at=None)
    hold = Hold(execution, token, before + SECONDS, lost, intent)
    HOLDS.add(hold)
    return hold


def _take(execution: UUID, owner: str) -> tuple[int, str, str, int] | None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE executions_execution
               SET lease_owner = %s, lease_token = lease_token + 1,
                   lease_until = clock_timestamp() + make_interval(secs => %s),
                   lost_leases = lost_leases + (lease_until IS NOT NULL)::int,
                   state = CASE phase WHEN 'rollback' THEN 'rolling_back' ELSE 'running' END,
                   started_at = coalesce(started_at, clock_timestamp())
             WHERE id = %s
               AND (state IN ('queued', 'running', 'rolling_back')
                    OR (state = 'waiting'
                        AND (due_at <= clock_timestamp()
                             OR (intent IN ('cancel', 'give_up')
                                 AND waiting_for->>'code' IS DISTINCT FROM %s))))
               AND (lease_until IS NULL OR {RAN_OUT})
            RETURNING lease_token, phase, intent, lost_leases
            """,
            [owner, SECONDS, execution, UNCONFIRMED],
        )
        row: tuple[int, str, str, int] | None = cursor.fetchone()
    return row


def renew(holds: list[Hold]) -> None:
    """Renew these leases in one statement and learn what is asked of them. Marks the lost ones."""
    before = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE executions_execution e
               SET lease_until = clock_timestamp() + make_interval(secs => %s),
                   lost_leases = CASE WHEN steady THEN 0 ELSE lost_leases END
              FROM unnest(%s::uuid[], %s::bigint[], %s::bool[]) AS held (id, token, steady)
             WHERE e.id = held.id AND e.lease_token = held.token AND e.lease_until IS NOT NULL
            RETURNING e.id, e.intent
            """,
            [
                SECONDS,
                [h.execution for h in holds],
                [h.token for h in holds],
                [before - h.since > STEADY for h in holds],
            ],
        )
        renewed = dict(cursor.fetchall())
    for hold in holds:
        if hold.execution in renewed:
            hold.deadline = before + SECONDS
            _listen(hold, renewed[hold.execution])
        else:
            hold.lose()


def listen(holds: list[Hold]) -> None:
    """Learn what is asked of the executions that are held."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, intent FROM executions_execution WHERE id = ANY(%s) AND intent <> ''",
            [[h.execution for h in holds]],
        )
        asked = dict(cursor.fetchall())
    for hold in holds:
        _listen(hold, asked.get(hold.execution, Intent.NONE))


def _listen(hold: Hold, intent: str) -> None:
    if hold.intent != intent:
        hold.intent = intent
        hold.nudge()


def release(hold: Hold) -> None:
    """Give the lease back with the execution unfinished: it is queued for whoever comes next."""
    counted: dict[str, Any] = {"lost_leases": hold.lost_before + 1} if hold.refused else {}
    try:
        hold.hand.move(ExecutionEvent.RETURN, None, lease_until=None, lease_owner="", **counted)
    except Superseded:
        return


def give_back() -> None:
    """Release what was dropped, while the database was away or because it had run out: nobody has to wait.

    Raises the errors of django.db; what is left is tried again.
    """
    left = HOLDS.dropped()
    try:
        while left:
            release(left[-1])
            left.pop()
    finally:
        for hold in left:
            HOLDS.drop(hold)
