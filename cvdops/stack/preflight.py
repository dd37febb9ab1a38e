"""What is looked at before anything starts; each obstacle is one sentence with its remedy."""

import fcntl
import os
import shutil
import socket
from pathlib import Path
from typing import IO

from cvdops.stack.parts import StartError

LEAST_FREE = 500 * 1024 * 1024
TOOLS = {"git": "the runbooks' versions and the practice CVD need it", "bash": "steps run in it"}


def tools() -> None:
    for name, why in TOOLS.items():
        if shutil.which(name) is None:
            raise StartError(
                f"{name} is missing ({why}): install it, on Debian with `apt install {name}`."
            )


def folders(data: Path) -> None:
    """Make the data folder with its parts and prove that it takes files."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        for name in ("run", "logs"):
            (data / name).mkdir(mode=0o700, exist_ok=True)
            probe = data / name / ".probe"
            probe.write_bytes(b"x" * 4096)
            probe.unlink()
    except OSError as error:
        raise StartError(
            f"The data folder {data} cannot be written ({error.strerror}): "
            "mend that, or set CVDOPS_DATA_DIR to another folder."
        ) from None
    free = shutil.disk_usage(data).free
    if free < LEAST_FREE:
        raise StartError(
            f"The disk of {data} has {free // 1024**2} MB left and {LEAST_FREE // 1024**2} MB are "
            "needed: free some, or set CVDOPS_DATA_DIR to a folder on another disk."
        )


def only_one(data: Path) -> IO[str]:
    """The lock of the data folder, held while the file is open; the kernel frees it at any end."""
    lock = (data / "run" / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        holder = lock.read().strip() or "?"
        lock.close()
        raise StartError(
            f"The system is already running on {data} (process {holder}): "
            "stop it with Ctrl-C in its terminal, or set CVDOPS_DATA_DIR to another folder."
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def port_free(port: int) -> bool:
    """Whether a server of ours could listen on this port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def pair_free(first: int) -> bool:
    """The practice CVD listens on a port, its proxy on the next."""
    return port_free(first) and port_free(first + 1)


def port(number: int) -> None:
    if not 1 <= number <= 65535:
        raise StartError(f"{number} is no port: choose one from 1024 to 65535.")
    if not port_free(number):
        raise StartError(
            f"Port {number} is taken or not allowed: stop the program that uses it, "
            f"or choose another with `make up PORT={8001 if number != 8001 else 8002}`."
        )
