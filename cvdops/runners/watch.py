"""Being told of changes in a folder: one inotify instance and one thread for the whole process.

An instance for each job would soon reach the system's limit of 128 for a user.
"""

import ctypes
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_IN_MODIFY, _IN_CREATE, _IN_ONLYDIR, _IN_DONT_FOLLOW = 0x2, 0x100, 0x01000000, 0x02000000
_MASK = _IN_MODIFY | _IN_CREATE | _IN_ONLYDIR | _IN_DONT_FOLLOW
_HEADER = struct.Struct("iIII")
_libc = ctypes.CDLL(None, use_errno=True)


class FolderWatch:
    """Signals eventfds when something in a watched folder is written or made."""

    def __init__(self) -> None:
        """Raises OSError."""
        self._lock = threading.Lock()
        self._signals: dict[int, set[int]] = {}  # watch descriptor → eventfds
        self._fd = _libc.inotify_init1(os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "inotify is not available")
        threading.Thread(target=self._read, name="folder-watch", daemon=True).start()

    @contextmanager
    def watching(self, folder: Path) -> Iterator[int | None]:
        """An eventfd that is readable after a change; None if the folder cannot be watched."""
        signal = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        with self._lock:
            # The same folder has the same descriptor, whoever watches it.
            watch = _libc.inotify_add_watch(self._fd, os.fsencode(folder), _MASK)
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
def folder_watch() -> FolderWatch:
    """The one of this process."""
    return FolderWatch()
