"""Being told of writes to files: one inotify instance and one thread for the whole process.

An instance for each job would soon reach the system's limit of 128 for a user.
"""

import ctypes
import os
import struct
import threading
from pathlib import Path

_IN_MODIFY = 0x2
_HEADER = struct.Struct("iIII")
_libc = ctypes.CDLL(None, use_errno=True)


class FileWatch:
    """Signals an eventfd when a watched file is written."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._signals: dict[int, int] = {}  # watch descriptor → eventfd
        self._fd = _libc.inotify_init1(os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "inotify is not available")
        threading.Thread(target=self._read, name="file-watch", daemon=True).start()

    def add(self, path: Path) -> tuple[int, int]:
        """Watch a file. Returns the watch descriptor and the eventfd. Raises OSError."""
        signal = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        with self._lock:
            watch = _libc.inotify_add_watch(self._fd, os.fsencode(path), _IN_MODIFY)
            if watch < 0:
                os.close(signal)
                raise OSError(ctypes.get_errno(), f"{path} cannot be watched")
            self._signals[watch] = signal
        return watch, signal

    def remove(self, watch: int) -> None:
        """Watch it no longer, and close its eventfd."""
        with self._lock:
            signal = self._signals.pop(watch, None)
            if signal is not None:
                _libc.inotify_rm_watch(self._fd, watch)
                os.close(signal)

    def _read(self) -> None:
        while True:
            events = os.read(self._fd, 65536)
            at = 0
            with self._lock:
                while at < len(events):
                    watch, _mask, _cookie, length = _HEADER.unpack_from(events, at)
                    at += _HEADER.size + length
                    if watch in self._signals:
                        os.eventfd_write(self._signals[watch], 1)
