"""The service's settings file: what the service gets in its environment when it starts."""

from pathlib import Path

from cvdops.practice.layout import Layout

PORT = "CVD_PORT"
_FIRST_TIME = "# Read when the service starts.\nCVD_SECRET_KEY=practice-only-key\n"


def write(layout: Layout, port: int) -> None:
    """Set our own lines; lines that others added, and the file's mode, are kept."""
    ours = {
        "CVD_HOST": "127.0.0.1",
        PORT: str(port),
        "CVD_DATABASE": str(layout.database),
        "CVD_LOG_DIR": str(layout.logs),
        "CVD_BACKUP_DIR": str(layout.backups),
    }
    path = layout.settings
    fresh = not path.exists()
    old = _FIRST_TIME if fresh else path.read_text()
    kept = [line for line in old.splitlines() if line.partition("=")[0].strip() not in ours]
    text = "\n".join([*kept, *(f"{name}={value}" for name, value in ours.items())]) + "\n"
    if fresh:
        path.touch(mode=0o600)
    if text != old:
        path.write_text(text)


def read(path: Path) -> dict[str, str]:
    """Name → value. Raises OSError."""
    pairs = (line.partition("=") for line in path.read_text().splitlines() if line[:1].isalpha())
    return {name.strip(): value.strip() for name, _, value in pairs}
