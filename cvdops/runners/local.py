"""Jobs on this machine: processes that outlive the worker that started them."""

import errno
import os
import select
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from cvdops.runners import spool, stopping, wrapper
from cvdops.runners.account import account, shell
from cvdops.runners.environment import TOO_LARGE, check_variable
from cvdops.runners.handle import CLAIM, OWN, LocalHandle, read_claim
from cvdops.runners.interpreters import INTERPRETERS, Invocation, prelude_name
from cvdops.runners.job import (
    MARKER,
    MOST_CLAIMS,
    AlreadyClaimed,
    Found,
    Job,
    Presence,
    Process,
    Reason,
    Spool,
    StartFailed,
    StopReport,
    Unreachable,
    Vanished,
)
from cvdops.runners.processes import boot_id
from cvdops.runners.search import Search

CLAIM_PATIENCE = 10.0  # seconds for a new process to make its claim
_ENDING = 10.0  # seconds for the end of one that has made none
_OUTER = ("/bin/sh", "-c", wrapper.OUTER, "cvdops-job")


class LocalTransport:
    """Job directories below `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()

    def spool(self) -> Spool:
        return spool.identify(self._root)

    def start(self, job: Job) -> LocalHandle:
        folder = self._folder(job.attempt)
        spool.check_name(job.name)
        alone = self._make_room(folder)
        reading, writing = os.pipe()
        try:
            try:
                child = self._spawn(job, folder, writing, alone=alone)
            finally:
                os.close(writing)
            said = _until_closed(reading, child)
        finally:
            os.close(reading)
        claim = read_claim(folder)
        if claim is not None and claim.process.pid == child.pid:
            return LocalHandle(folder, claim, child)
        try:
            if child.wait(_ENDING) == wrapper.ALREADY_CLAIMED:
                raise AlreadyClaimed
        except subprocess.TimeoutExpired:
            raise _unclaimed(folder) from None
        raise StartFailed(
            f"The job directory {folder} could not be used"
            f"{': ' + said if said else ''}. Make room or mend the spool, then retry the step."
        )

    def attach(self, attempt: str) -> Found:
        folder = self._folder(attempt)
        if not _is_folder(folder) or not _claimed(folder):
            return Found(Presence.ABSENT, spool=self.spool())
        claim = read_claim(folder)
        deadline = time.monotonic() + CLAIM_PATIENCE
        while claim is None and Search(attempt, None).everyone() and time.monotonic() < deadline:
            time.sleep(0.002)  # the claim is made, its content is just being written
            claim = read_claim(folder)
        handle = LocalHandle(folder, claim or read_claim(folder))
        try:
            finished = handle.result() is not None
        except Vanished:
            return Found(Presence.VANISHED, handle)
        return Found(Presence.FINISHED if finished else Presence.RUNNING, handle)

    def running(self, attempt: str, leader: Process | None) -> tuple[int, ...]:
        return stopping.running(attempt, leader)

    def stop(self, attempt: str, leader: Process | None, grace: float) -> StopReport:
        return stopping.stop(attempt, leader, grace)

    def clean(self, attempt: str) -> None:
        self.cleaned([attempt])
        self._collect()

    def cleaned(self, attempts: Sequence[str]) -> bool:
        left = [attempt for attempt in attempts if not _emptied(self._folder(attempt))]
        return not left

    def claims(self) -> list[str]:
        entries = os.scandir(self._root) if self._root.is_dir() else ()
        changed = [
            (_changed(entry), entry.name) for entry in entries if spool.is_attempt(entry.name)
        ]
        return [name for _, name in sorted(changed, reverse=True)[:MOST_CLAIMS]]

    def _folder(self, attempt: str) -> Path:
        spool.check_attempt(attempt)
        return self._root / attempt

    def _make_room(self, folder: Path) -> bool:
        """A directory for the job to make its claim in; whether no other start had made it.

        Raises AlreadyClaimed, StartFailed.
        """
        try:
            os.mkdir(folder, 0o700)  # noqa: PTH102
        except FileExistsError:
            if not _is_folder(folder) or _claimed(folder):
                raise AlreadyClaimed from None  # without a process; a child decides all other cases
            return False
        except OSError as error:
            raise spool.not_writable(self._root, error) from None
        return True

    def _spawn(
        self, job: Job, folder: Path, pipe: int, *, alone: bool
    ) -> "subprocess.Popen[bytes]":
        invocation = INTERPRETERS[job.interpreter](job)
        environment = self._environment(job, folder, invocation)
        program = shutil.which(invocation.program, path=environment["PATH"])
        if program is None:
            raise StartFailed(
                f"{invocation.program} is not installed on this machine (looked in "
                f"{environment['PATH']}). Install it, then retry the step."
            )
        try:
            # Another start of this attempt may be under way, for another script: then into a folder
            # of its own, which takes a disk as long as a program takes to start.
            place = folder if alone and job.name not in OWN else spool.apart(folder)
            script = spool.write_fresh(place / job.name, invocation.script + "\n")
        except OSError as error:
            raise spool.not_writable(self._root, error) from None
        if invocation.prelude:
            environment["CVDOPS_SCRIPT"] = str(place)
        path = script.name if invocation.prelude else str(script)
        where = job.cwd or _home(environment, self._root)
        command = [*self._runner(invocation), program, *invocation.options, path]
        try:
            child = subprocess.Popen(
                [*_OUTER, str(folder), boot_id(), where, *command],
                stdin=subprocess.DEVNULL,
                stdout=pipe,
                stderr=pipe,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            script.unlink(missing_ok=True)
            raise _not_started(error) from None
        self._collect(child)
        return child

    def _runner(self, invocation: Invocation) -> tuple[str, ...]:
        return ("/bin/sh", self._constant(invocation.runner)) if invocation.runner else ()

    def _constant(self, content: str) -> str:
        return str(self._root / prelude_name(content))

    def _environment(self, job: Job, folder: Path, invocation: Invocation) -> dict[str, str]:
        environment = {**account(), **job.variables}
        environment[MARKER] = job.attempt
        if invocation.session:
            environment["CVDOPS_JOB"] = str(folder)
        if invocation.prelude:
            environment["BASH_ENV"] = self._constant(invocation.prelude)
            environment["SHELL"] = shell()
        for name, value in environment.items():
            check_variable(name, value)
        return environment

    def _collect(self, new: "subprocess.Popen[bytes] | None" = None) -> None:
        """Keep a child until it has ended, so that none stays behind as a zombie."""
        with self._lock:
            if new is not None:
                self._children[new.pid] = new
            for pid, child in list(self._children.items()):
                if child is not new and child.poll() is not None:
                    del self._children[pid]


def _changed(entry: "os.DirEntry[str]") -> int:
    """When something in it was made or removed; 0 if it is gone by now."""
    try:
        return entry.stat(follow_symlinks=False).st_mtime_ns
    except OSError:
        return 0


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _emptied(folder: Path) -> bool:
    """Remove all but the claim; false if something could not be."""
    try:
        descriptor = os.open(folder, os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:  # it is gone, or no directory of ours
        return not _is_folder(folder)
    try:
        with os.scandir(descriptor) as entries:
            names = [entry.name for entry in entries if entry.name != CLAIM]
        kept = [name for name in names if not _removed(name, descriptor)]
        return not kept
    finally:
        os.close(descriptor)


def _removed(name: str, folder: int) -> bool:
    """A file, link or directory in this folder, of which there is the descriptor."""
    try:
        try:
            os.unlink(name, dir_fd=folder)
        except IsADirectoryError:
            shutil.rmtree(name, dir_fd=folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _claimed(folder: Path) -> bool:
    return os.path.lexists(folder / CLAIM)


def _until_closed(pipe: int, child: "subprocess.Popen[bytes]") -> str:
    """Wait until the child has made its claim or ended. What it complained of, if anything."""
    deadline = time.monotonic() + CLAIM_PATIENCE
    waiting = select.poll()
    waiting.register(pipe, select.POLLIN)
    said = b""
    while waiting.poll(max(0.0, deadline - time.monotonic()) * 1000):
        data = os.read(pipe, 4096)
        if not data:
            return said.decode(errors="replace").strip()
        said += data
    child.kill()
    raise StartFailed(
        f"The shell did not begin within {CLAIM_PATIENCE:g} s: is the spool's disk responding? "
        "Retry the step."
    )


def _unclaimed(folder: Path) -> Unreachable:
    """It runs, and what it claimed is not there: perhaps the spool was emptied in this moment."""
    return Unreachable(
        "This machine",
        Reason.PROTOCOL,
        f"The step began, but its claim in {folder} cannot be read.",
        "See that nobody empties the spool folder.",
    )


def _not_started(error: OSError) -> StartFailed:
    if error.errno == errno.E2BIG:
        return StartFailed(TOO_LARGE)
    return StartFailed(f"The shell could not be started: {error.strerror}. Retry the step.")


def _home(environment: dict[str, str], otherwise: Path) -> str:
    home = environment.get("HOME", "")
    return home if home.startswith("/") and Path(home).is_dir() else str(otherwise)
