"""Taking turns among the processes of this machine, and giving up when one of them does not end its own."""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

_LOOK = 0.02  # seconds between two tries


@contextmanager
def turn(path: str, seconds: float) -> Iterator[None]:
    """Alone with this lock file, which is made if it is missing. Raises OSError.

    TimeoutError after so many seconds: a process that was stopped would keep its turn for ever.
    """
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + seconds
        while not _taken(lock):
            if time.monotonic() >= deadline:
                raise TimeoutError(errno.ETIMEDOUT, "another process does not let go of it", path)
            time.sleep(_LOOK)
        yield
    finally:
        os.close(lock)


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
