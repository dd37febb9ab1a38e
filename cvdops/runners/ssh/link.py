"""The way to one host: connected when it is needed, tried again when it is lost."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from cvdops.runners.account import PATH
from cvdops.runners.job import RETRY, Lost, Reason, Spool, Unreachable
from cvdops.runners.ssh.address import Address
from cvdops.runners.ssh.answers import Answer
from cvdops.runners.ssh.client import Client
from cvdops.runners.ssh.diagnosis import clean, closed, diagnose, silent
from cvdops.runners.ssh.lane import Lane, LaneLost
from cvdops.runners.ssh.master import Master
from cvdops.runners.ssh.program import LANG

ANSWER = 8.0  # seconds in which an answer has to be there
_SHORTEST, _LONGEST = 0.2, 5.0  # seconds between two tries to connect
_EXTRA = 4  # channels beside the one that everything goes over
_TURN = 60.0  # seconds that somebody waits for one of them
_SLOWEST = 100_000  # bytes a second


class Link:
    """Safe in threads."""

    def __init__(self, client: Client, address: Address, root: str) -> None:
        self.address = address
        self.lost: Lost | None = None
        self.master = Master(client, address)
        self.spool: tuple[Answer, Spool] | None = (
            None  # the one there, known since which connection
        )
        self._client = client
        self._root = root
        self._lane: Lane | None = None
        self._lock = threading.Lock()
        self._extra = threading.BoundedSemaphore(_EXTRA)
        self._failures = 0
        self._again = 0.0  # when it may be tried again

    @property
    def patience(self) -> float:
        """Seconds until it may be tried again."""
        return max(0.0, self._again - time.monotonic())

    def hello(self) -> Answer:
        """What the target said of itself when it was connected. Raises Unreachable."""
        return self._connected().hello

    def account(self) -> dict[str, str]:
        """What the login sets there. Raises Unreachable."""
        hello = self.hello()
        user, home = hello.text("user"), hello.text("home")
        return {"PATH": PATH, "LANG": LANG, "HOME": home, "USER": user, "LOGNAME": user}

    def ask(self, request: str, timeout: float = ANSWER) -> Answer:
        """Raises Unreachable: then it is not known whether the request was carried out.

        One that was lost with a connection is asked again, so it must bear that.
        """
        return self.ask_all([request], timeout)[0]

    def tell(self, request: str) -> None:
        """Ask for something without waiting for it. Raises Unreachable; it may get lost all the same."""
        try:
            self._connected().tell(request)
        except LaneLost as lost:
            raise self._explain(lost) from None

    def ask_all(self, requests: list[str], timeout: float = ANSWER) -> list[Answer]:
        """Several at once. Raises Unreachable."""
        timeout += sum(map(len, requests)) / _SLOWEST
        began = datetime.now(UTC)
        for again in (True, False):
            lane = self._connected(began)
            try:
                answers = lane.ask(*requests, timeout=timeout)
            except LaneLost as lost:
                error = self._explain(lost)
                self._losing(error, began)
                if again and not lost.silent and not lost.nonsense:
                    continue
                self._postpone()
                raise error from None
            self._failures = 0
            self.lost = None
            return answers
        raise AssertionError("unreachable")

    @contextmanager
    def extra(self) -> Iterator[Lane]:
        """A channel for one thing that takes long. Raises Unreachable, also for a LaneLost inside."""
        self._connected()
        if not self._extra.acquire(timeout=_TURN):
            raise self._busy()
        try:
            try:
                lane = self._open()
                try:
                    yield lane
                finally:
                    lane.close()
            except LaneLost as lost:
                raise self._explain(lost) from None
        finally:
            self._extra.release()

    def _busy(self) -> Unreachable:
        why = f"For {_TURN:g} s all {_EXTRA} channels to it have been ending other steps."
        remedy = f"Wait until they are ended{RETRY}"
        return Unreachable(self.address.label, Reason.TIMEOUT, why, remedy)

    def close(self) -> None:
        with self._lock:
            if self._lane is not None:
                self._lane.close()
            self._lane = None

    def _connected(self, since: datetime | None = None) -> Lane:
        with self._lock:
            if self._lane is not None and self._lane.open:
                return self._lane
            if self.lost is not None and self.patience > 0:
                raise self.lost.error
            try:
                self._lane = self._open()
            except LaneLost as lost:
                error = self._explain(lost)
            except Unreachable as unreachable:
                error = unreachable
            else:
                self._failures = 0
                self.lost = None
                return self._lane
            self._losing(error, since or datetime.now(UTC))
            self._postpone()
            raise error

    def _open(self) -> Lane:
        self.master.ensure()
        return Lane(self._client, self.address, self.master.socket, self._root, ANSWER)

    def _losing(self, error: Unreachable, since: datetime) -> None:
        self.lost = Lost(self.lost.since if self.lost else since, error)

    def _postpone(self) -> None:
        delay = min(_LONGEST, _SHORTEST * 2.0 ** min(self._failures, 10))
        self._failures += 1
        self._again = time.monotonic() + delay * random.uniform(0.5, 1.0)  # noqa: S311

    def _explain(self, lost: LaneLost) -> Unreachable:
        if lost.silent:
            self.master.abandon()  # the next try must not wait for the same connection
            return silent(self.address)
        if lost.nonsense:
            return self._unusable(Reason.PROTOCOL, f"It cannot be understood: {lost.nonsense}.")
        if lost.code is not None and lost.code != 255 and lost.code >= 0:
            printed = clean(f"{lost.said} {lost.noise}")
            printed = f"it printed: {printed}" if printed else "it printed nothing"
            return self._unusable(Reason.SHELL, f"The login there does not run sh; {printed}.")
        return diagnose(self.address, lost.said) if lost.said else closed(self.address)

    def _unusable(self, reason: Reason, why: str) -> Unreachable:
        remedy = f"Give that user a plain login shell without a forced command{RETRY}"
        return Unreachable(self.address.label, reason, why, remedy)
