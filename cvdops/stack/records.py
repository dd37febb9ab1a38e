"""Which processes the running system has, on disk, so that the next start can end what was left."""

import json
import os
from pathlib import Path

from cvdops.stack.process import Identity, identify


class Records:
    """`<data>/run/parts.json`: name of the part → its process, told apart by its start time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def remember(self, name: str, pid: int) -> None:
        if process := identify(pid):
            self._write(self.read() | {name: process})

    def forget(self, name: str) -> None:
        self._write({key: process for key, process in self.read().items() if key != name})

    def read(self) -> dict[str, Identity]:
        try:
            content = json.loads(self.path.read_text())
            return {
                str(name): Identity(int(p["pid"]), str(p["began"])) for name, p in content.items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}  # absent or torn: a process that is not known is not ended

    def _write(self, processes: dict[str, Identity]) -> None:
        content = {name: {"pid": p.pid, "began": p.began} for name, p in processes.items()}
        write_private(self.path, json.dumps(content))


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner only."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
