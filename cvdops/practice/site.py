"""A practice CVD: its files, its variables, and its service."""

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cvdops.practice import data, repository
from cvdops.practice.layout import SERVICE, Layout
from cvdops.practice.stand_ins import install

STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
UNITS = (SERVICE, "nginx")
FACTS = "environment.json"  # the variables, for those who set up an environment with them


class SiteError(Exception):
    """Why the practice CVD cannot be used, as a sentence that says what to do."""


class Site:
    """The practice CVD below `root`. Its service listens on 127.0.0.1 alone."""

    def __init__(self, root: Path, port: int = 5000) -> None:
        self.root = root.absolute()
        self.port = port
        self._layout = Layout(self.root)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def variables(self) -> dict[str, str]:
        """The common variables of the environment that runs against this site."""
        lay = self._layout
        return {
            "ENVIRONMENT": "development",
            "APPLICATION_DIR": str(lay.app),
            "DATA_DIR": str(lay.data),
            "BACKUP_DIR": str(lay.backups),
            "LOG_DIR": str(lay.logs),
            "SERVICE_NAME": SERVICE,
            "DATABASE_PATH": str(lay.database),
            "BASE_URL": self.base_url,
        }

    def path(self) -> str:
        """PATH for steps: the stand-ins first."""
        return f"{self._layout.bin}:{STANDARD_PATH}"

    def create(self) -> None:
        """Make what is missing; what is there keeps its content. Raises SiteError."""
        try:
            self._describe()
            self._create()
        except OSError as error:
            raise SiteError(f"The practice CVD cannot be written: {error}.") from None
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip()
            raise SiteError(f"git could not make the practice CVD's repository: {said}") from None

    def reset(self) -> None:
        """Stop, wipe, create and start it. Raises SiteError."""
        if self.root.is_dir() and any(self.root.iterdir()):
            if not (self.root / FACTS).is_file():
                raise SiteError(
                    f"{self.root} holds something else than a practice CVD: it is not wiped. "
                    "Name another folder."
                )
            self.stop()
            shutil.rmtree(self.root)
        self.create()
        self.start()

    def start(self) -> None:
        """Start the service and wait until it answers. Raises SiteError."""
        self._control("start")

    def stop(self) -> None:
        """Stop the service and wait until it is gone; nothing happens if it is not there."""
        if (self._layout.bin / "systemctl").exists():
            self._control("stop")

    def status(self) -> dict[str, str]:
        """`active` or `inactive` for each unit."""
        return {unit: self._run("is-active", unit).stdout.strip() or "inactive" for unit in UNITS}

    def _control(self, verb: str) -> None:
        done = self._run(verb, *UNITS)
        if done.returncode:
            raise SiteError(f"The practice CVD did not {verb}: {done.stderr.strip()}")

    def _run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [str(self._layout.bin / "systemctl"), *arguments]
        try:
            return subprocess.run(
                command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
            )
        except OSError as error:
            raise SiteError(
                f"The practice CVD's systemctl cannot be run: {error.strerror}. Reset it."
            ) from None

    def _create(self) -> None:
        lay, now = self._layout, datetime.now(UTC)
        for folder in (lay.data, lay.backups, lay.logs, lay.config, lay.bin, lay.run):
            folder.mkdir(parents=True, exist_ok=True)
        self._configure()
        install.write_all(self._layout, STANDARD_PATH)
        self._lay_repository()
        if not lay.database.exists():
            _whole(lay.database, lambda part: self._deliver(part, now))

    def _deliver(self, database: Path, now: datetime) -> None:
        data.create_database(database, now)
        data.create_backup(database, self._layout.backups, now)
        data.create_logs(self._layout.logs, now)
        # Left lying about on purpose, as people do: the security audit has to find it.
        (self._layout.data / "users-export.csv").write_text("name,role\nlegacy-admin,admin\n")

    def _lay_repository(self) -> None:
        lay = self._layout
        if not lay.origin.exists():
            _whole(lay.origin, repository.publish)
        if not (lay.app / ".git").exists():
            lay.app.parent.mkdir(parents=True, exist_ok=True)
            _whole(lay.app, lambda part: repository.check_out(part, lay.origin))
        repository.point_to(lay.app, lay.origin)

    def _describe(self) -> None:
        """Written first: whoever sets up an environment needs nothing else of the site."""
        self.root.mkdir(parents=True, exist_ok=True)
        facts = {**self.variables(), "PATH": self.path()}
        part = self.root / f"{FACTS}.part"
        part.write_text(json.dumps(facts, indent=2) + "\n")
        part.replace(self.root / FACTS)

    def _configure(self) -> None:
        """The service's settings. Lines that others added, and the file's mode, are kept."""
        lay = self._layout
        ours = {
            "CVD_HOST": "127.0.0.1",
            "CVD_PORT": str(self.port),
            "CVD_DATABASE": str(lay.database),
            "CVD_LOG_DIR": str(lay.logs),
            "CVD_BACKUP_DIR": str(lay.backups),
        }
        fresh = not lay.settings.exists()
        old = "CVD_SECRET_KEY=practice-only-key\n" if fresh else lay.settings.read_text()
        kept = [line for line in old.splitlines() if line.partition("=")[0] not in ours]
        lines = [*(f"{name}={value}" for name, value in ours.items()), *kept]
        lay.settings.write_text("\n".join(lines) + "\n")
        if fresh:
            lay.settings.chmod(0o644)  # too open: the security audit has to find and close it


def _whole(path: Path, make: Callable[[Path], None]) -> None:
    """Have `make` write beside `path` and move it there: what an interruption leaves is not taken for it."""
    part = path.with_name(f"{path.name}.part")
    if part.is_dir():
        shutil.rmtree(part)
    part.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    make(part)
    part.replace(path)
