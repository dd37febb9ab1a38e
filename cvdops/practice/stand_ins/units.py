"""The units of the practice CVD: starting them for good, knowing whether they run, stopping them."""

import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from cvdops.practice import settings_file
from cvdops.practice.layout import Layout
from cvdops.practice.stand_ins.install import command
from cvdops.practice.stand_ins.process import Running

PATIENCE = 10.0  # seconds to become ready, and again to end
DESCRIPTIONS = {"cvd": "Vision Device Configuration", "nginx": "Reverse proxy"}
_JOURNAL_LIMIT = 5_000_000  # bytes; of the one before, as much is kept again


class UnitError(Exception):
    """Why a unit did not start or stop, as a sentence."""


class Unit:
    """A service of the practice CVD."""

    def __init__(self, layout: Layout, name: str) -> None:
        self.name = name
        self._layout = layout
        self._record = layout.run / f"{name}.pid"
        self._disabled = layout.run / f"{name}.disabled"
        self._journal = layout.journal(name)

    @property
    def enabled(self) -> bool:
        return not self._disabled.exists()

    def enable(self, wanted: bool) -> None:
        if wanted:
            self._disabled.unlink(missing_ok=True)
        else:
            self._disabled.touch()

    def running(self) -> Running | None:
        """Its process; None if it does not run."""
        found = Running.read(self._record)
        return found if found and found.alive() else None

    def state(self) -> str:
        """`active`, `failed` (it ended without being stopped) or `inactive`."""
        found = Running.read(self._record)
        if found is None or not found.of_this_boot():
            return "inactive"
        return "active" if found.alive() else "failed"

    def start(self) -> None:
        """Start it, unless it runs, and return once it is ready. Raises UnitError."""
        with self._lock():
            if self.running():
                return
            self._turn_journal()
            self._note(f"Starting {DESCRIPTIONS[self.name]} ...")
            try:
                self._start()
            except OSError as error:
                self._note(f"Failed to start {self.name}.service")
                raise UnitError(f"{error.strerror}: {error.filename}") from None
            except UnitError:
                self._note(f"Failed to start {self.name}.service")
                raise
            self._note(f"Started {self.name}.service")

    def stop(self) -> None:
        """End it, if it runs, and return once it is gone. Raises UnitError."""
        with self._lock():
            if process := self.running():
                self._note(f"Stopping {self.name}.service ...")
                if not process.end(PATIENCE):
                    raise UnitError(f"{self.name} does not end (process {process.pid})")
                self._note(f"Stopped {self.name}.service")
            self._record.unlink(missing_ok=True)

    def reload(self) -> None:
        """Have it read its settings again: neither has any that it reads while it runs."""
        if not self.running():
            raise UnitError(f"{self.name} is not active, so it cannot be reloaded")
        self._note(f"Reloaded {self.name}.service")

    def last_lines(self, number: int) -> list[str]:
        """The end of the journal."""
        try:
            return self._journal.read_text(errors="replace").splitlines()[-number:]
        except OSError:
            return []

    def _note(self, message: str) -> None:
        """A line of the service manager's own in the journal."""
        with self._journal.open("a") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} systemd: {message}\n")

    def _turn_journal(self) -> None:
        if self._journal.exists() and self._journal.stat().st_size > _JOURNAL_LIMIT:
            self._journal.replace(self._journal.with_suffix(".journal.1"))

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self._layout.run / f"{self.name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _argv(self, port: str) -> list[str]:
        if self.name == "nginx":
            return [*command(self._layout.root, "nginx"), port]
        # Its own folder has to be importable, so not isolated with -I.
        return [sys.executable, "-S", "-s", "-E", "-B", str(self._layout.app / "app.py")]

    def _start(self) -> None:
        """The service gets a clean environment: nothing of the step that started it clings to it."""
        settings = settings_file.read(self._layout.settings)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind("")  # the system chooses an abstract name
            address = notify.getsockname().decode().replace("\0", "@", 1)
            base = {"PATH": os.defpath, "LANG": "C.UTF-8", "NOTIFY_SOCKET": address}
            with self._journal.open("ab") as journal:
                process = subprocess.Popen(
                    self._argv(settings.get(settings_file.PORT, "")),
                    env={**base, **settings},
                    cwd=self._layout.home,
                    stdin=subprocess.DEVNULL,
                    stdout=journal,
                    stderr=journal,
                    start_new_session=True,
                    umask=0o027,
                )
            Running.of(process.pid).write(self._record)
            self._await_ready(process, notify)

    def _await_ready(self, process: "subprocess.Popen[bytes]", notify: socket.socket) -> None:
        notify.settimeout(0.05)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise UnitError(f"{self.name} ended with code {process.returncode}")
            try:
                if notify.recv(100) == b"READY=1":
                    process.returncode = 0  # it goes on without us: nobody waits for it here
                    return
            except TimeoutError:
                continue
        process.kill()
        process.wait()
        raise UnitError(f"{self.name} was not ready within {PATIENCE:g} s")
