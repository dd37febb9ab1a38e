"""Sending hints behind the caller's back: who announces never waits for Redis."""

import threading
import time

from cvdops.streams.publisher import Publisher

# Seconds in which hints are gathered after one was sent. Sending takes the interpreter from the steps: where
# each of their moves was sent at once, a short step took a sixth longer.
PAUSE = 0.01


class Herald:
    """A thread that announces the newest position of each execution. Safe in threads.

    The first hint goes at once. Positions that were overtaken before they could be sent are left out: a hint
    says "look", and who looks reads everything up to the newest. What is pending when the process ends is
    lost like any hint.
    """

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._newest: dict[str, int] = {}
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="herald", daemon=True).start()

    def announce(self, execution: str, seq: int) -> None:
        """Say soon that this execution has come to this position."""
        with self._changed:
            self._newest[execution] = max(seq, self._newest.get(execution, 0))
            self._changed.notify()

    def _run(self) -> None:
        while True:
            for execution, seq in self._take().items():
                self._publisher.announce(execution, seq)
            time.sleep(PAUSE)

    def _take(self) -> dict[str, int]:
        with self._changed:
            self._changed.wait_for(lambda: self._newest)
            taken, self._newest = self._newest, {}
        return taken
