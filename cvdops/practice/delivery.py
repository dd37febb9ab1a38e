"""What is on the disk of a practice CVD when it is delivered, and how all of that goes away."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cvdops.practice import data, repository, settings_file
from cvdops.practice.layout import Layout
from cvdops.practice.stand_ins import install


def settle(layout: Layout, port: int) -> bool:
    """Make folders, settings and stand-ins; whether the service had another port until now."""
    for folder in (layout.data, layout.backups, layout.logs, layout.config):
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(0o750)
    for folder in (layout.bin, layout.run):
        folder.mkdir(exist_ok=True)
    settings = layout.settings
    before = settings_file.read(settings).get(settings_file.PORT) if settings.exists() else None
    settings_file.write(layout, port)
    install.write_all(layout)
    return before not in (None, str(port))


def deliver(layout: Layout) -> None:
    """Make the repository and the data, unless they are there. CalledProcessError is Git's."""
    if not layout.origin.exists():
        _whole(layout.origin, repository.publish)
    if not (layout.app / ".git").exists():
        _whole(layout.app, lambda part: repository.check_out(part, layout.origin))
    repository.point_to(layout.app, layout.origin)
    now = datetime.now(UTC)
    if not layout.database.exists():
        _whole(layout.database, lambda part: _fill(layout, part, now))
    if not any(layout.backups.iterdir()):
        data.create_backup(layout.database, layout.backups, now)


def wipe(layout: Layout) -> None:
    """Remove everything that was made here; what others put beside it stays."""
    for folder in (layout.home.parent, layout.origin.parent, layout.bin, layout.run):
        if folder.exists():
            shutil.rmtree(folder)


def _fill(layout: Layout, database: Path, now: datetime) -> None:
    data.create_database(database, now)
    database.chmod(0o640)
    if not any(layout.logs.iterdir()):
        data.create_logs(layout.logs, now)
    # Left lying about on purpose, as people do: the security audit has to find it.
    export = layout.data / "users-export.csv"
    export.write_text("name,role\nlegacy-admin,admin\n")
    export.chmod(0o644)


def _whole(path: Path, make: Callable[[Path], None]) -> None:
    """Have `make` write beside `path`, then move it there: half of it is never taken for it."""
    part = path.with_name(f"{path.name}.part")
    if part.is_dir():
        shutil.rmtree(part)
    part.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    make(part)
    part.replace(path)
