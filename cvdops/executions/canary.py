"""Whether a worker consumes: a message to itself has to come back. Pure but for the clock.

A Celery worker can live on without ever consuming again after its Redis was lost. While Redis cannot be
reached nothing can be said about that, and executions go on without it: then nobody is to be ended.
"""

import time
from dataclasses import dataclass

EVERY = 5.0  # seconds between two canaries while all is well
SILENCE = 20.0  # with Redis there and nothing coming through: the process is of no use


@dataclass(slots=True)
class Canary:
    """The canaries of one process; several may be on their way."""

    _away_since: float | None = None  # the first that was sent and did not come back
    _returned_at: float = float("-inf")

    def sent(self, accepted: bool) -> None:
        """One was sent, and whether Redis took it."""
        if not accepted:
            self._away_since = None
        elif self._away_since is None:
            self._away_since = time.monotonic()

    def returned(self) -> None:
        self._away_since, self._returned_at = None, time.monotonic()

    @property
    def due(self) -> bool:
        """Often until one comes back, then seldom."""
        return self._away_since is not None or time.monotonic() - self._returned_at >= EVERY

    @property
    def lost(self) -> bool:
        since = self._away_since
        return since is not None and time.monotonic() - since > SILENCE
