"""Where the parts of a practice CVD lie below its root."""

from dataclasses import dataclass
from pathlib import Path

SERVICE = "cvd"


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of a production server, moved below `root`; absolute."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / "opt" / "cvd"

    @property
    def app(self) -> Path:
        return self.home / "app"

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def database(self) -> Path:
        return self.data / "cvd.db"

    @property
    def backups(self) -> Path:
        return self.home / "backups"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def config(self) -> Path:
        return self.home / "config"

    @property
    def settings(self) -> Path:
        return self.config / ".env"

    @property
    def origin(self) -> Path:
        return self.root / "srv" / "cvd.git"

    @property
    def bin(self) -> Path:
        return self.root / "bin"

    @property
    def run(self) -> Path:
        return self.root / "run"

    def journal(self, unit: str) -> Path:
        return self.run / f"{unit}.journal"
