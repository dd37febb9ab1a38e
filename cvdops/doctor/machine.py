"""This machine: its disks, and whether steps that run on it outlive their worker."""

import os
import pwd
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from cvdops.doctor.finding import Finding, ok, warning, wrong
from cvdops.environments.models import Host
from cvdops.executions.models import Worker
from cvdops.lib import disk as disks

ROOT = Path("/")
_MEMORY = {"tmpfs", "ramfs"}
_SESSION = re.compile(r"/session-[^/]*\.scope$")
_KILLS = re.compile(
    r"^\s*KillUserProcesses\s*=\s*(yes|true|on|1)\s*$", re.MULTILINE | re.IGNORECASE
)
_HERE = "Steps of this machine end with their worker and are then interrupted"


def disk() -> Finding:
    folders = {settings.DATA_DIR, settings.SPOOL_DIR}
    left = {folder: disks.free(folder) for folder in sorted(folders)}
    text = ", ".join(f"{megabytes} MB where {folder} lies" for folder, megabytes in left.items())
    if min(left.values()) < settings.DISK_RESERVE:
        return wrong(
            "disk",
            f"Free are {text}.",
            f"Nothing is started with less than {settings.DISK_RESERVE} MB; what runs goes on.",
            "Make room, or lower CVDOPS_DISK_RESERVE.",
        )
    return ok("disk", f"Free are {text}.")


def spool() -> Finding:
    kind = _file_system(settings.SPOOL_DIR)
    if kind in _MEMORY:
        return warning(
            "spool",
            f"The spool {settings.SPOOL_DIR} lies in memory ({kind}).",
            "A restart of the machine empties it: what ran then is interrupted, for a person to decide.",
            "Set CVDOPS_SPOOL to a folder on a real disk.",
        )
    return ok(
        "spool", f"The spool {settings.SPOOL_DIR} lies on a disk ({kind or 'of unknown kind'})."
    )


def account() -> Finding:
    """A step of this machine may read whatever the portal may read."""
    if not _local_hosts():
        return ok("account", "No steps run on the worker's own machine.")
    name = pwd.getpwuid(os.geteuid()).pw_name
    return warning(
        "account",
        f"Steps on {_local_hosts()} run as {name}, as the portal does.",
        "They can read its files, secrets among them.",
        "Let them run over SSH, as a user of their own, also on this machine.",
    )


def container() -> Finding:
    if not _in_container():
        return ok("container", "This is no container.")
    if not _local_hosts():
        return ok("container", "This is a container, and no steps run in it.")
    # The one-command system is made anew as a whole, and nobody counts on what ran in it.
    return (wrong if settings.PRODUCTION else warning)(
        "container",
        f"This is a container, and steps on {_local_hosts()} run in it.",
        f"{_HERE}: a container that is made anew ends all its processes.",
        "Reach these hosts over SSH: a host's transport stands on the page Environments.",
    )


def systemd() -> Finding:
    """Only the control group of a unit with KillMode=process survives its restart."""
    killing = {unit: mode for unit in _units() if (mode := _kill_mode(unit)) not in {"process", ""}}
    if killing and _local_hosts():
        text = ", ".join(f"{unit} has KillMode={mode}" for unit, mode in killing.items())
        return wrong(
            "systemd",
            f"{text}.",
            f"{_HERE}.",
            "Add KillMode=process to the [Service] part of the unit, as in docs/operations.md.",
        )
    return ok("systemd", "No unit ends the steps of its worker.")


def logind() -> Finding:
    sessions = any(_SESSION.search(group) for group in _groups())
    if sessions and _kills_user_processes() and _local_hosts():
        return wrong(
            "logind",
            "A worker runs in somebody's login, and logind has KillUserProcesses=yes.",
            f"{_HERE} when that person logs out.",
            "Run the worker as a systemd unit, or set KillUserProcesses=no in logind.conf.",
        )
    return ok("logind", "No logout ends the steps of a worker.")


def _local_hosts() -> str:
    hosts = Host.objects.filter(transport=Host.Transport.LOCAL).select_related("environment")
    return ", ".join(f"{host.name} of {host.environment_id}" for host in hosts)


def _file_system(folder: Path) -> str:
    """Of the mount that holds it, or would; empty if the system does not say."""
    path, best = folder.resolve(), (-1, "")
    for line in (ROOT / "proc/self/mounts").read_text().splitlines():
        _, point, kind, *_ = line.split()
        if path.is_relative_to(point.replace("\\040", " ")):
            best = max(best, (len(point), kind))
    return best[1]


def _in_container() -> bool:
    marks = (ROOT / ".dockerenv", ROOT / "run/.containerenv")
    groups = (ROOT / "proc/1/cgroup").read_text()
    return any(mark.exists() for mark in marks) or bool(re.search("docker|kubepods|lxc", groups))


def _groups() -> Iterator[str]:
    """The control groups of the workers of this machine."""
    mine = Worker.objects.filter(left_at=None, name__startswith=f"{socket.gethostname()}:")
    for name in mine.values_list("name", flat=True):
        try:
            text = (ROOT / f"proc/{int(name.rpartition(':')[2])}/cgroup").read_text()
        except (OSError, ValueError):
            continue
        yield from (line.rpartition(":")[2] for line in text.splitlines())


def _units() -> set[str]:
    names = {group.rpartition("/")[2] for group in _groups()}
    return {name for name in names if name.endswith(".service")}


def _kill_mode(unit: str) -> str:
    if (program := shutil.which("systemctl")) is None:
        return ""
    command = [program, "show", "--property=KillMode", "--value", "--", unit]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=5, check=False
    ).stdout.strip()


def _kills_user_processes() -> bool:
    folder = ROOT / "etc/systemd"
    files = [folder / "logind.conf", *sorted((folder / "logind.conf.d").glob("*.conf"))]
    return any(_KILLS.search(file.read_text()) for file in files if file.is_file())
