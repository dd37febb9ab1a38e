"""The units of the practice CVD: starting them for good, knowing whether they run, stopping them."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from cvdops.practice.layout import Layout
from cvdops.practice.stand_ins.install import command

PATIENCE = 10.0  # seconds to become ready, and again to end
DESCRIPTIONS = {"cvd": "Vision Device Configuration", "nginx": "Reverse proxy"}


class UnitError(Exception):
    """Why a unit did not start or stop, as a sentence."""


@dataclass(frozen=True, slots=True)
class Running:
    """A process by number, start time (ticks since boot) and boot: numbers are given again."""

    pid: int
    ticks: int
    boot: str
    since: float  # seconds since 1970

    def alive(self) -> bool:
        return self.boot == _boot() and _ticks(self.pid) == self.ticks


class Unit:
    """A service of the practice CVD."""

    def __init__(self, layout: Layout, name: str) -> None:
        self.name = name
        self._layout = layout
        self._record = layout.run / f"{name}.pid"
        self._disabled = layout.run / f"{name}.disabled"

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
        try:
            found = Running(**json.loads(self._record.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return found if found.alive() else None

    def start(self) -> None:
        """Start it, unless it runs, and return once it is ready. Raises UnitError."""
        with self._lock():
            if self.running():
                return
            self.note(f"Starting {DESCRIPTIONS[self.name]} ...")
            try:
                self._start()
            except UnitError:
                self._record.unlink(missing_ok=True)
                self.note(f"Failed to start {self.name}.service")
                raise
            self.note(f"Started {self.name}.service")

    def stop(self) -> None:
        """End it, if it runs, and return once it is gone. Raises UnitError."""
        with self._lock():
            process = self.running()
            if process:
                self.note(f"Stopping {self.name}.service ...")
                for number in (signal.SIGTERM, signal.SIGKILL):
                    if _end(process, number):
                        break
                else:
                    raise UnitError(f"{self.name} does not end (process {process.pid}).")
                self.note(f"Stopped {self.name}.service")
            self._record.unlink(missing_ok=True)

    def note(self, message: str) -> None:
        """A line of the service manager's own in the journal."""
        with self._layout.journal(self.name).open("a") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} systemd: {message}\n")

    def last_words(self) -> str:
        """The last line of the journal."""
        try:
            text = self._layout.journal(self.name).read_text(errors="replace")
        except OSError:
            return "its journal is empty"
        return text.strip().rpartition("\n")[2]

    def settings(self) -> dict[str, str]:
        """What the settings file says, as the service gets it in its environment."""
        try:
            lines = self._layout.settings.read_text().splitlines()
        except OSError as error:
            raise UnitError(f"The settings {self._layout.settings}: {error.strerror}.") from None
        pairs = (line.partition("=") for line in lines if line[:1].isalpha())
        return {name.strip(): value.strip() for name, _, value in pairs}

    @cached_property
    def _argv(self) -> list[str]:
        if self.name == "nginx":
            return [*command(self._layout.root, "nginx"), self.settings().get("CVD_PORT", "")]
        # Its own folder has to be importable, so not isolated with -I.
        return [sys.executable, "-S", "-s", "-E", "-B", str(self._layout.app / "app.py")]

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self._layout.run / f"{self.name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _start(self) -> None:
        """The service gets a clean environment: nothing of the step that started it clings to it."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind("")  # the system chooses an abstract name
            notify.settimeout(0.05)
            address = notify.getsockname().decode().replace("\0", "@", 1)
            base = {"PATH": os.defpath, "LANG": "C.UTF-8", "NOTIFY_SOCKET": address}
            with self._layout.journal(self.name).open("ab") as journal:
                process = subprocess.Popen(
                    self._argv,
                    env={**base, **self.settings()},
                    cwd=self._layout.home,
                    stdin=subprocess.DEVNULL,
                    stdout=journal,
                    stderr=journal,
                    start_new_session=True,
                )
            _write(self._record, Running(process.pid, _ticks(process.pid), _boot(), time.time()))
            self._await_ready(process, notify)

    def _await_ready(self, process: "subprocess.Popen[bytes]", notify: socket.socket) -> None:
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


def _end(process: Running, number: int) -> bool:
    """Send the signal and wait; whether the process is gone."""
    deadline = time.monotonic() + PATIENCE
    if process.alive():
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return True
    while process.alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    return not process.alive()


def _write(path: Path, process: Running) -> None:
    fields = {name: getattr(process, name) for name in Running.__slots__}
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(fields))
    part.replace(path)


def _ticks(pid: int) -> int:
    """When the process began; 0 if there is none, or only its remains."""
    try:
        # The second field is the program's name in brackets and may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
