"""A job: one attempt of a step on a host, in a job directory of its own that names it for ever."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything that a start needs."""

    attempt: str  # a UUID; names the job directory
    interpreter: str  # bash | sh
    strict: bool  # set -euo pipefail before the script
    script: str
    variables: Mapping[str, str]  # the environment of the job, complete
    cwd: str = ""  # empty: the home directory


class StartFailed(Exception):
    """The job could not be started and never will have been. The text says what to do."""


class AlreadyClaimed(Exception):
    """The job was started before, by whomever: attach to it."""


@dataclass(frozen=True, slots=True)
class Spool:
    """Which spool it is, on which boot of the machine: a claim that is missing here was never made here."""

    identity: str
    boot_id: str


@dataclass(frozen=True, slots=True)
class Result:
    """How a job ended, as the target says it."""

    exit_code: int
    variables: Mapping[str, str]
    cwd: str


@dataclass(frozen=True, slots=True)
class StopReport:
    """Whether everything that the job started is gone; if not, the process ids that are left."""

    gone: bool
    left: tuple[int, ...] = ()


class Presence(StrEnum):
    ABSENT = "absent"  # no claim: it never began here
    RUNNING = "running"
    FINISHED = "finished"
    VANISHED = "vanished"  # claimed, no result, and its process is gone


class Handle(Protocol):
    """A job that was claimed."""

    def read(self, offset: int, limit: int) -> bytes:
        """The output from a byte offset on, at most `limit` bytes; empty if there is none yet."""

    def wait(self, offset: int, timeout: float, wake: int) -> None:
        """Return when there is output beyond the offset, the job ended, the eventfd `wake` is
        readable, or the time (seconds) is up."""

    def result(self) -> Result | None:
        """How it ended; None while it runs. Raises Vanished if it ended without a result."""

    def stop(self, grace: float) -> StopReport:
        """TERM, after `grace` seconds KILL, to all that it started; looked for afterwards."""


class Vanished(Exception):
    """The job's process is gone and left no result."""


@dataclass(frozen=True, slots=True)
class Found:
    """What `attach` found. The handle is there unless the job is absent."""

    presence: Presence
    handle: Handle | None = None


class Transport(Protocol):
    """A way to a host."""

    def spool(self) -> Spool:
        """The spool as it is now; made if it is missing. Raises StartFailed."""

    def start(self, job: Job) -> Handle:
        """Start the job. Raises AlreadyClaimed, StartFailed."""

    def attach(self, attempt: str) -> Found:
        """Find a job that may have been started before."""

    def clean(self, attempt: str) -> None:
        """Remove its files. The empty directory stays: a removed claim would be an open one."""
