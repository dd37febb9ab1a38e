"""What the portal reads with programs of this machine: runbooks with git, hosts with ssh."""

import os
import shutil
import subprocess
from pathlib import Path

from django.conf import settings

from cvdops.catalog.models import CatalogSource
from cvdops.catalog.origin import Origin
from cvdops.doctor.finding import Finding, ok, warning, wrong


def git() -> Finding:
    version = _version("git", "--version")
    if not version:
        return wrong(
            "git",
            "git is missing.",
            "Runbooks are not read from a repository, and a folder has no authors and dates.",
            "Install it, on Debian with 'apt install git'.",
        )
    return ok("git", f"{version}.")


def catalog() -> Finding:
    """What the settings of this command name, and how the last look at it ended."""
    place, source = settings.RUNBOOKS, CatalogSource.objects.first()
    folder = Path(place.location)
    if place.scheme == "file" and not (folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)):
        return wrong(
            "catalog",
            f"CVDOPS_RUNBOOKS names {folder}, which is no folder that can be read here.",
            "A worker with this setting leaves the catalog as it is.",
            "Correct CVDOPS_RUNBOOKS, or the rights of the folder.",
        )
    if source is None or source.looked_at is None:
        return warning(
            "catalog",
            f"Nobody has read the runbooks of {place.location} yet.",
            "There is nothing to run.",
            "Run `manage.py sync`, or start a worker.",
        )
    if source.problem:
        return wrong(
            "catalog",
            f"{source.location}: {source.problem}",
            f"The catalog is as it was at {source.read_at:%Y-%m-%d %H:%M} UTC."
            if source.read_at
            else "The catalog is empty.",
            "Mend the source, then press *Sync now* in the catalog.",
        )
    if Origin(source.location, source.branch, source.folder) != place:
        return warning(
            "catalog",
            f"The catalog was read from {_named(source)}, and the settings here name {_named(place)}.",
            "What was changed there is not in the catalog yet, or workers have other settings.",
            "Run `manage.py sync`, and give workers the same CVDOPS_RUNBOOKS.",
        )
    return ok("catalog", f"{source.location} was read at {source.read_at:%Y-%m-%d %H:%M} UTC.")


def _named(place: Origin | CatalogSource) -> str:
    parts = (place.location, place.branch, place.folder)
    return ", ".join(part for part in parts if part)


def ssh() -> Finding:
    """The client and its folder, whose keys OpenSSH refuses if others can read them."""
    version = _version("ssh", "-V")
    if not version:
        mend = "Install it, on Debian with 'apt install openssh-client'."
        return wrong("ssh", "ssh is missing.", "No host can be reached over SSH.", mend)
    folder = settings.SSH_DIR
    if open_to_others := [str(path) for path in _private(folder) if path.stat().st_mode & 0o077]:
        return wrong(
            "ssh",
            f"Others may use {', '.join(open_to_others)}.",
            "They could act as the portal on its hosts; OpenSSH refuses such keys.",
            f"Run 'chmod -R go= {folder}'.",
        )
    return ok("ssh", f"{version}; its folder is {folder}.")


def _private(folder: Path) -> list[Path]:
    keys = [path for path in (folder / "keys").glob("*") if path.suffix != ".pub"]
    return [path for path in (folder, *keys) if path.exists()]


def _version(program: str, option: str) -> str:
    """What it says of itself; empty if it is missing."""
    if (path := shutil.which(program)) is None:
        return ""
    done = subprocess.run([path, option], capture_output=True, text=True, timeout=5, check=False)
    return (done.stdout or done.stderr).strip()
