"""Sending one request, with a resolver and a patience of the test's own."""

import select
import time
from dataclasses import dataclass, field

from cvdops.runners.http.exchange import Answer, Exchange
from cvdops.runners.http.lookup import Lookup, system_lookup
from cvdops.spec.filling import fill
from cvdops.spec.http import read

KEY = "0190-attempt"


class TooLong(Exception):
    """The test waits no longer."""


@dataclass
class Asker:
    """One request. `seconds`: how long it may take."""

    lookup: Lookup = system_lookup
    seconds: float = 5.0
    transcript: bytearray = field(default_factory=bytearray)
    sent: bool = False

    def ask(self, body: str, **values: str) -> Answer:
        self._deadline = time.monotonic() + self.seconds
        request = fill(read(body), values)
        exchange = Exchange(request, KEY, self._wait, self.transcript.extend, self.lookup)
        try:
            return exchange.run()
        finally:
            self.sent = exchange.sent

    def _wait(self, descriptor: int, events: int, seconds: float | None = None) -> bool:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TooLong
        waiting = select.poll()
        waiting.register(descriptor, events)
        if waiting.poll(1000 * (left if seconds is None else min(left, seconds))):
            return True
        if seconds is None or seconds > left:
            raise TooLong
        return False
