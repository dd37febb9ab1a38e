"""Being told of writes to files: one inotify instance and one thread for the whole process.

An instance for each job would soon reach the system's limit of 128 for a user.
"""

import ctypes
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_IN_MODIFY, _IN_DONT_FOLLOW = 0x2, 0x02000000
_HEADER = struct.Struct("iIII")
_libc = ctypes.CDLL(None, use_errno=True)


class FileWatch:
    """Signals eventfds when a watched file is written."""

    def __init__(self) -> None:
        """Raises OSError."""
        self._lock = threading.Lock()
        self._signals: dict[int, set[int]] = {}  # watch descriptor → eventfds
        self._fd = _libc.inotify_init1(os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "inotify is not available")
        threading.Thread(target=self._read, name="file-watch", daemon=True).start()

    @contextmanager
    def watching(self, path: str) -> Iterator[int | None]:
        """An eventfd that is readable after a write; None if the file cannot be watched."""
        signal = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        with self._lock:
            # The same file has the same descriptor, whoever watches it.
            watch = _libc.inotify_add_watch(
                self._fd, os.fsencode(path), _IN_MODIFY | _IN_DONT_FOLLOW
            )
            if watch >= 0:
                self._signals.setdefault(watch, set()).add(signal)
        try:
            yield signal if watch >= 0 else None
        finally:
            self._forget(watch, signal)

    def _forget(self, watch: int, signal: int) -> None:
        with self._lock:
            signals = self._signals.get(watch, set())
            signals.discard(signal)
            if not signals and self._signals.pop(watch, None) is not None:
                _libc.inotify_rm_watch(self._fd, watch)
        os.close(signal)

    def _read(self) -> None:
        while True:
            events = os.read(self._fd, 65536)
            at, changed = 0, set()
            while at < len(events):
                watch, _mask, _cookie, length = _HEADER.unpack_from(events, at)
                at += _HEADER.size + length
                changed.add(watch)
            with self._lock:
                for watch in changed & self._signals.keys():
                    for signal in self._signals[watch]:
                        os.eventfd_write(signal, 1)


@cache
def file_watch() -> FileWatch:
    """The one of this process."""
    return FileWatch()
