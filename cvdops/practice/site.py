"""A practice CVD: its files, its variables, and its service."""

import fcntl
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cvdops.practice import delivery
from cvdops.practice.layout import SERVICE, Layout
from cvdops.practice.stand_ins import install

UNITS = (SERVICE, "nginx")
FACTS = "environment.json"  # the variables, for those who set up an environment with them
_LOCK = "practice.lock"


class SiteError(Exception):
    """Why the practice CVD cannot be used, as a sentence that says what to do."""


class Site:
    """The practice CVD below `root`. Its services listen on 127.0.0.1 alone."""

    def __init__(self, root: Path, port: int = 5000) -> None:
        self.root = root.absolute()
        self.port = port
        self._layout = Layout(self.root)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def variables(self) -> dict[str, str]:
        """The common variables of the environment that runs against this site; PATH for its steps."""
        lay = self._layout
        return {
            "ENVIRONMENT": "development",
            "APPLICATION_DIR": str(lay.app),
            "DATA_DIR": str(lay.data),
            "BACKUP_DIR": str(lay.backups),
            "LOG_DIR": str(lay.logs),
            "CONFIG_DIR": str(lay.config),
            "SERVICE_NAME": SERVICE,
            "DATABASE_PATH": str(lay.database),
            "BASE_URL": self.base_url,
            "PATH": f"{lay.bin}:{install.STANDARD_PATH}",
        }

    def create(self) -> None:
        """Make what is missing; what is there keeps its content. Raises SiteError."""
        with self._alone():
            self._create()

    def reset(self) -> None:
        """Stop, wipe, create and start it. Raises SiteError."""
        with self._alone():
            self._stop()
            self._wipe()
            self._create()
            self._start()

    def start(self) -> None:
        """Start it and return when it answers; nothing happens if it runs. Raises SiteError."""
        with self._alone():
            self._start()

    def stop(self) -> None:
        """Stop it and return when it is gone; nothing happens if it is not there."""
        if self._layout.run.is_dir():
            with self._alone():
                self._stop()

    def status(self) -> dict[str, str]:
        """`active`, `inactive` or `failed` for each unit."""
        return dict(zip(UNITS, self._run("is-active", *UNITS).stdout.split(), strict=True))

    def _create(self) -> None:
        if shutil.which("git") is None:
            raise SiteError("git is missing: install it, on Debian with `apt install git`.")
        try:
            self._describe()
            if delivery.settle(self._layout, self.port):
                self._stop()  # it still listens on the port that it had
            delivery.deliver(self._layout)
        except OSError as error:
            raise SiteError(_unwritable(self.root, error)) from None
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip()
            raise SiteError(f"git could not make the practice CVD's repository: {said}") from None

    def _describe(self) -> None:
        """Written first: whoever sets up an environment needs nothing else of the site."""
        part = self.root / f"{FACTS}.part"
        part.write_text(json.dumps(self.variables(), indent=2) + "\n")
        part.replace(self.root / FACTS)

    def _wipe(self) -> None:
        try:
            delivery.wipe(self._layout)
        except OSError as error:
            raise SiteError(_unwritable(self.root, error)) from None

    def _start(self) -> None:
        if not _free(self.port) and self.status()[SERVICE] != "active":
            raise SiteError(
                f"Port {self.port} is taken by another program: stop that, or choose another port "
                "with --port or CVDOPS_PRACTICE_PORT."
            )
        self._control("start")

    def _stop(self) -> None:
        if self._layout.bin.is_dir() and self._layout.run.is_dir():
            install.write_all(self._layout)  # Python or the project may have moved since
            self._control("stop")

    def _control(self, verb: str) -> None:
        done = self._run(verb, *UNITS)
        if done.returncode:
            raise SiteError(
                f"The practice CVD did not {verb}: {done.stderr.strip()} "
                "To put it back to how it was delivered: `make practice-reset`."
            )

    def _run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [str(self._layout.bin / "systemctl"), *arguments]
        try:
            return subprocess.run(
                command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
            )
        except OSError as error:
            raise SiteError(
                f"The practice CVD's systemctl cannot be run ({error.strerror}): reset it."
            ) from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time: two people may press the reset button at once."""
        try:
            self._check_root()
            self.root.mkdir(parents=True, exist_ok=True)
            lock = (self.root / _LOCK).open("a")
        except OSError as error:
            raise SiteError(_unwritable(self.root, error)) from None
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _check_root(self) -> None:
        if set(str(self.root)) & set(':\n"'):
            raise SiteError(
                f"{self.root} cannot be in a PATH because of its name: choose another folder with "
                "--root or CVDOPS_PRACTICE."
            )
        names = {path.name for path in self.root.iterdir()} if self.root.is_dir() else set()
        if names and not names & {_LOCK, FACTS}:
            raise SiteError(
                f"{self.root} holds something else than a practice CVD and is left alone: choose "
                "another folder with --root or CVDOPS_PRACTICE."
            )


def _unwritable(root: Path, error: OSError) -> str:
    what = f"{error.strerror}: {error.filename}" if error.filename else str(error)
    return (
        f"The practice CVD cannot be written to {root} ({what}): mend that, or choose another folder "
        "with --root or CVDOPS_PRACTICE."
    )


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
