"""Whether Redis is away, as this process has last seen: said once when that begins, and once when it ends."""

import logging
from threading import Lock

log = logging.getLogger(__name__)


class Outage:
    """Told by whoever uses it, in any thread, of each try that failed and of each that did not."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lasts = False

    def began(self, why: object) -> None:
        """It could not be used, because of this."""
        if self._turned(lasts=True):
            log.warning(
                "Redis is away: %s. Executions go on without it, a little later at each turn, and pages "
                "look once a second. It is tried until it answers.",
                str(why).strip().rstrip("."),
            )

    def ended(self) -> None:
        """It could be used."""
        if self._turned(lasts=False):
            log.warning("Redis answers again.")

    def _turned(self, *, lasts: bool) -> bool:
        if self._lasts == lasts:  # looked at before each message
            return False
        with self._lock:
            turned, self._lasts = self._lasts != lasts, lasts
            return turned


REDIS = Outage()
