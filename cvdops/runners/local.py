"""Jobs on this machine: processes that outlive the worker that started them."""

import os
import re
import secrets
import select
import shutil
import stat
import subprocess
import time
from functools import cache, cached_property
from pathlib import Path

from cvdops.runners import wrapper
from cvdops.runners.job import (
    AlreadyClaimed,
    Found,
    Handle,
    Job,
    Presence,
    Result,
    Spool,
    StartFailed,
    StopReport,
    Transport,
    Vanished,
)
from cvdops.runners.processes import MARKER, Process, boot_id, end_all, parse_stat
from cvdops.runners.session import from_bash, from_sh
from cvdops.runners.watch import FileWatch

CLAIM_PATIENCE = 10.0  # seconds for a new process to make its claim
MAX_SESSION = 1 << 20  # bytes of variables that are carried over


@cache
def _watch() -> FileWatch:
    return FileWatch()


class LocalTransport(Transport):
    """Job directories below `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def spool(self) -> Spool:
        identity = self._root / ".id"
        try:
            return Spool(identity.read_text().strip(), boot_id())
        except FileNotFoundError:
            pass
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name, text in _PRELUDES.items():
                _write(self._root / name, text)
            _write(identity, secrets.token_hex(16) + "\n", keep=True)
            return Spool(identity.read_text().strip(), boot_id())
        except OSError as error:
            raise StartFailed(
                f"The spool folder {self._root} cannot be written: {error.strerror}. "
                "Make room or mend its permissions, then retry the step."
            ) from None

    def start(self, job: Job) -> Handle:
        folder = self._root / job.attempt
        if folder.exists():
            raise AlreadyClaimed
        process = self._spawn(job, folder)
        deadline = time.monotonic() + CLAIM_PATIENCE
        while (claimed := _claimant(folder)) is None:
            if process.poll() is not None:
                break
            if time.monotonic() > deadline:
                process.kill()
                raise StartFailed("The shell did not start within 10 s. Retry the step.")
            time.sleep(0.0002)
        if claimed is None:
            claimed = _claimant(folder)
        if claimed is not None and claimed.pid == process.pid:
            return LocalHandle(folder, claimed, process)
        if process.wait() == 97 and folder.exists():
            raise AlreadyClaimed
        raise StartFailed(
            f"The job directory could not be made in {self._root}: is the disk full? "
            "Make room, then retry the step."
        )

    def attach(self, attempt: str) -> Found:
        folder = self._root / attempt
        if not folder.is_dir():
            return Found(Presence.ABSENT)
        process = _claimant(folder)
        deadline = time.monotonic() + 1.0
        while process is None and time.monotonic() < deadline:
            time.sleep(0.005)  # the claim is made, its next line is being written
            process = _claimant(folder)
        handle = LocalHandle(folder, process or Process(0, 0))
        try:
            finished = handle.result() is not None
        except Vanished:
            return Found(Presence.VANISHED, handle)
        return Found(Presence.FINISHED if finished else Presence.RUNNING, handle)

    def clean(self, attempt: str) -> None:
        (self._root / f"{attempt}.script").unlink(missing_ok=True)
        folder = self._root / attempt
        for entry in list(os.scandir(folder)) if folder.is_dir() else []:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                Path(entry.path).unlink(missing_ok=True)

    def _spawn(self, job: Job, folder: Path) -> "subprocess.Popen[bytes]":
        sh = job.interpreter == "sh"
        head = wrapper.SH_HEAD + (wrapper.SH_STRICT if job.strict else "") if sh else ""
        script = self._root / f"{job.attempt}.script"
        prelude = "" if sh else str(self._root / (_STRICT if job.strict else _PASTE))
        try:
            _write(script, head + job.script + "\n")
            return subprocess.Popen(
                [
                    "/bin/sh", "-c", wrapper.OUTER, "cvdops-job", str(folder), str(script),
                    job.interpreter, prelude, job.cwd or job.variables.get("HOME", "/"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**job.variables, MARKER: job.attempt},
                cwd="/",
                start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            raise StartFailed(f"The step could not be started: {error}.") from None


class LocalHandle(Handle):
    """A job that was claimed on this machine."""

    def __init__(
        self,
        folder: Path,
        process: Process,
        child: "subprocess.Popen[bytes] | None" = None,
    ) -> None:
        self._folder = folder
        self._process = process
        self._child = child

    def __del__(self) -> None:
        if "_signal" in self.__dict__:
            _watch().remove(self._signal[0])
        if "_pidfd" in self.__dict__ and self._pidfd >= 0:
            os.close(self._pidfd)

    def read(self, offset: int, limit: int) -> bytes:
        try:
            fd = _open(self._folder / "out")
        except OSError:
            return b""
        try:
            return os.pread(fd, limit, offset)
        finally:
            os.close(fd)

    def wait(self, offset: int, timeout: float, wake: int) -> None:
        _, signal = self._signal
        if self._size() > offset:
            return
        waiting = select.poll()
        for fd in (signal, wake, self._pidfd):
            if fd >= 0:
                waiting.register(fd, select.POLLIN)
        waiting.poll(timeout * 1000)
        try:
            os.eventfd_read(signal)
        except BlockingIOError:
            return

    def result(self) -> Result | None:
        alive = self._alive()  # before looking: a process that ends later has left its result
        code = self._exit_code()
        if code is None:
            if alive:
                return None
            raise Vanished
        return Result(code, self._variables(), self._text("cwd").rstrip("\n"))

    def stop(self, grace: float) -> StopReport:
        left = end_all(self._folder.name, self._process.pid, grace)
        if self._child is not None:
            self._child.poll()
        return StopReport(not left, tuple(process.pid for process in left))

    @cached_property
    def _signal(self) -> tuple[int, int]:
        return _watch().add(self._folder / "out")

    @cached_property
    def _pidfd(self) -> int:
        try:
            return os.pidfd_open(self._process.pid) if self._process.pid else -1
        except OSError:
            return -1

    def _alive(self) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        return self._process.alive

    def _size(self) -> int:
        try:
            return (self._folder / "out").lstat().st_size
        except OSError:
            return 0

    def _exit_code(self) -> int | None:
        text = self._text("rc", 5)
        return int(text) if re.fullmatch(r"[0-9]{1,3}\n", text) else None

    def _variables(self) -> dict[str, str]:
        dump = self._bytes("vars", MAX_SESSION)
        return from_bash(dump) if dump.startswith(b"declare ") else from_sh(dump)

    def _text(self, name: str, limit: int = 4096) -> str:
        return self._bytes(name, limit).decode("utf-8", "replace")

    def _bytes(self, name: str, limit: int) -> bytes:
        try:
            fd = _open(self._folder / name)
        except OSError:
            return b""
        with os.fdopen(fd, "rb") as file:
            return file.read(limit)


_STRICT, _PASTE = "prelude-strict.bash", "prelude-paste.bash"
_PRELUDES = {_STRICT: wrapper.PRELUDE + wrapper.STRICT, _PASTE: wrapper.PRELUDE}


def _claimant(folder: Path) -> Process | None:
    try:
        fd = _open(folder / "pid")
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        line = file.read(4096).decode("utf-8", "replace")
    return parse_stat(line) if line.endswith("\n") else None


def _open(path: Path) -> int:
    """Open a regular file for reading, never through a link. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(f"{path} is not a regular file")
    return fd


def _write(path: Path, text: str, *, keep: bool = False) -> None:
    """Write a file whole or not at all, readable by its owner; `keep` what another process wrote."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(text.encode("utf-8", "surrogateescape"))
    if keep:
        try:
            os.link(part, path)
        except FileExistsError:
            return
        finally:
            part.unlink()
    else:
        part.replace(path)
