"""The folder of job directories on this machine: its identity, and files written and read safely."""

import ctypes
import errno
import os
import re
import secrets
import stat
from pathlib import Path

from cvdops.runners.interpreters import PRELUDES, prelude_name
from cvdops.runners.job import Spool, StartFailed
from cvdops.runners.processes import boot_id

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
IDENTITY = ".id"
_KEEP_SIZE, _PUNCH_HOLE = 1, 2
_libc = ctypes.CDLL(None)
_NAME = re.compile(r"[a-z0-9][-a-z0-9]{0,199}")
_ATTEMPT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def identify(root: Path) -> Spool:
    """The spool as it is now; made if it is missing. Raises StartFailed."""
    try:
        try:
            identity = _identity(root)
        except (FileNotFoundError, NotADirectoryError):
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_new(root / IDENTITY, secrets.token_hex(16) + "\n")
            identity = _identity(root)
        _write_preludes(root)
    except OSError as error:
        raise not_writable(root, error) from None
    return Spool(identity, boot_id())


def _identity(root: Path) -> str:
    descriptor = open_regular(f"{root}/{IDENTITY}")
    try:
        return os.read(descriptor, 64).decode().strip()
    finally:
        os.close(descriptor)


def is_attempt(name: str) -> bool:
    """Whether it is the name of a job directory."""
    return _ATTEMPT.fullmatch(name) is not None


def check_name(name: str) -> None:
    """Raises ValueError for anything but a slug: it becomes a path."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of a script.")


def check_attempt(attempt: str) -> None:
    """Raises ValueError for anything but the identifier of an attempt: it becomes a path."""
    if not is_attempt(attempt):
        raise ValueError(f"{attempt!r} is not the identifier of an attempt.")


def not_writable(root: Path, error: OSError) -> StartFailed:
    """Why nothing can be started in this spool."""
    if error.errno == errno.ENOENT:
        return StartFailed(
            f"The spool folder {root} was emptied or removed. Retry the step: the folder is made anew."
        )
    remedy = "Make room" if error.errno in _FULL else "Mend its permissions"
    reason = error.strerror or str(error)
    return StartFailed(
        f"The spool folder {root} cannot be used: {reason}. {remedy}, then retry the step."
    )


def _write_preludes(root: Path) -> None:
    for prelude in PRELUDES:
        path = f"{root}/{prelude_name(prelude)}"
        if not os.path.exists(path):  # noqa: PTH110
            write(Path(path), prelude)


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all, for its owner alone. Raises OSError."""
    part = write_part(path, text)
    part.replace(path)


def write_new(path: Path, text: str) -> None:
    """The same, but a file that is there already stays as it is, whoever was faster."""
    part = write_part(path, text)
    try:
        path.hardlink_to(part)
    except FileExistsError:
        return
    finally:
        part.unlink()


def apart(folder: Path) -> Path:
    """A new folder below this one, which nobody else uses. Raises OSError."""
    made = folder / f".{secrets.token_hex(4)}"
    made.mkdir(0o700)
    return made


def write_part(path: Path, text: str) -> Path:
    """Write a file beside this path, under a name that nobody else uses. Raises OSError."""
    return write_fresh(path.with_name(f".{path.name}.{secrets.token_hex(4)}"), text)


def write_fresh(path: Path, text: str) -> Path:
    """Write a file that must not be there yet. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
    except OSError:
        path.unlink()
        raise
    return path


def punch(path: str, end: int) -> None:
    """Give the disk back what a regular file has before this byte; not every file system can."""
    try:
        descriptor = open_regular(path, os.O_WRONLY)
    except OSError:
        return
    try:
        mode = _PUNCH_HOLE | _KEEP_SIZE
        _libc.fallocate(descriptor, mode, ctypes.c_int64(0), ctypes.c_int64(end))
    finally:
        os.close(descriptor)


def open_regular(path: str, access: int = os.O_RDONLY) -> int:
    """Open a regular file; never through a link, never waiting. Raises OSError."""
    descriptor = os.open(path, access | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", path)
    return descriptor


def read_regular(path: str, limit: int, offset: int = 0) -> bytes | None:
    """At most `limit` bytes of a regular file; None if there is no such file. Raises OSError."""
    try:
        descriptor = open_regular(path)
    except FileNotFoundError:
        return None
    try:
        return os.pread(descriptor, limit, offset)
    finally:
        os.close(descriptor)
