"""A job, one attempt of a step on a host: the values and the interface that every transport has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

MOST_CLAIMS = 20_000  # directories that are listed
MARKER = "CVDOPS_ATTEMPT"  # in the environment of everything that a job starts
NEVER = 1 << 62  # an offset that no output reaches: for who waits for the end alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything that a start needs."""

    attempt: str  # a UUID; names the job directory
    interpreter: str  # a key of interpreters.INTERPRETERS
    strict: bool  # stop at the first command that fails
    script: str
    name: str = "step"  # a slug: of the script, in what an interpreter says of it
    variables: Mapping[str, str]  # the environment of the job; the worker's own is not inherited
    cwd: str = ""  # absolute; empty: the home directory, or the spool if there is none
    database: str = ""  # for SQL: a path, or a connection string
    names: tuple[str, ...] = ()  # for SQL: the variables that the statements name
    bare: bool = False  # for SQL: values alone, without a table around them


class StartFailed(Exception):
    """The job could not be started and never will have been. The text says what to do."""


class AlreadyClaimed(Exception):
    """The job was started before, by whomever: attach to it."""


class Vanished(Exception):
    """The job's process is gone and left no result that can be believed. The text says what is known."""


class Reason(StrEnum):
    """Why a host cannot be asked: a stable code."""

    NAME = "name"  # does not resolve
    REFUSED = "refused"  # nothing listens
    NETWORK = "network"  # no route
    TIMEOUT = "timeout"  # no answer in time
    CLOSED = "closed"  # the connection was made and ended
    KEY_UNKNOWN = "key-unknown"  # nobody has confirmed the host key
    KEY_CHANGED = "key-changed"  # another key than the one that was confirmed
    ALGORITHMS = "algorithms"  # client and server have none in common
    LOGIN = "login"  # the login was refused
    KEY_FILE = "key-file"  # the private key is missing, readable by others, or not a key
    JUMP = "jump"  # the host in between
    CONFIGURATION = "configuration"  # of the SSH client on this machine
    SHELL = "shell"  # the login does not give a usable shell
    PROTOCOL = "protocol"  # the answer makes no sense


RETRY = ", then retry."  # how the remedies end that are to be tried out


class Unreachable(Exception):
    """The host cannot be asked: what is going on there is not known. Not the same as gone."""

    def __init__(self, host: str, reason: Reason, why: str, remedy: str) -> None:
        super().__init__(f"{host} cannot be reached. {why} {remedy}")
        self.host = host
        self.reason = reason
        self.why = why  # a sentence
        self.remedy = remedy  # a sentence: what to do

    @property
    def mend(self) -> str:
        """The remedy for who has nothing to retry."""
        return self.remedy.replace(RETRY, ".")

    def __reduce__(self) -> tuple[type["Unreachable"], tuple[str, Reason, str, str]]:
        return type(self), (self.host, self.reason, self.why, self.remedy)


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection to a host is lost; it is being tried again. The job goes on there."""

    since: datetime  # UTC
    error: Unreachable  # what the last try found


@dataclass(frozen=True, slots=True)
class Spool:
    """Which spool it is, on which boot of the machine: a claim that is missing here was never made here."""

    identity: str
    boot_id: str


@dataclass(frozen=True, slots=True)
class Process:
    """A process that cannot be mistaken for a later one with the same number."""

    pid: int
    started: int  # clock ticks after boot
    boot_id: str


@dataclass(frozen=True, slots=True)
class Result:
    """How a job ended, as the target says it."""

    exit_code: int  # 128 + n if signal n ended it
    variables: Mapping[str, str]  # scalars; empty if not `carried`
    cwd: str
    carried: bool = (
        True  # false: it left no variables, for instance because it set its own EXIT trap
    )
    dropped: tuple[
        str, ...
    ] = ()  # variables that no later step will see: arrays, too large, no text


@dataclass(frozen=True, slots=True)
class StopReport:
    """Whether everything that the job started is gone; if not, the process ids that are left."""

    gone: bool
    left: tuple[int, ...] = ()


class Presence(StrEnum):
    """What there is of an attempt on its host."""

    ABSENT = "absent"  # no claim: it never began here
    RUNNING = "running"
    FINISHED = "finished"
    VANISHED = "vanished"  # claimed, no result, and its process is gone


class Wakeup(StrEnum):
    """Why a wait is over."""

    OUTPUT = "output"
    ENDED = "ended"
    WOKEN = "woken"
    LINK = "link"  # the connection was lost, or is back: `lost` says which
    TIMEOUT = "timeout"


class Handle(Protocol):
    """A job that was claimed. Any number of watchers may have one; the job belongs to none of them."""

    process: Process | None

    @property
    def lost(self) -> Lost | None:
        """None: connected. Otherwise reading, waiting and asking for the result go on meanwhile."""

    @property
    def size(self) -> int:
        """Bytes of output that there are, as far as is known."""

    @property
    def short(self) -> bool:
        """Of a job that has ended: not all that it wrote could be stored there, as far as is known."""

    def read(self, offset: int, limit: int) -> bytes:
        """The output from a byte offset on, at most `limit` bytes; empty if there is none yet."""

    def wait(self, offset: int, timeout: float, wake: int | None) -> Wakeup:
        """Return when there is output beyond the offset, the job ended, the eventfd `wake` is
        readable (it stays so), or the time (seconds) is up."""

    def give_back(self, end: int) -> None:
        """Nobody will read the output before this byte again: the disk may have its room, if it can."""

    def result(self) -> Result | None:
        """How it ended; None while it runs. Output that is read afterwards is complete.

        Raises Vanished.
        """

    def result_now(self) -> Result | None:
        """The same, asked of the host in this moment. Raises Unreachable, Vanished."""

    def stop(self, grace: float) -> StopReport:
        """TERM, after `grace` seconds KILL, to all that it started; looked for afterwards.

        Raises Unreachable: then it may still run.
        """


@dataclass(frozen=True, slots=True)
class Found:
    """What `attach` found. The handle is there unless the job is absent; then `spool` says where."""

    presence: Presence
    handle: Handle | None = None
    spool: Spool | None = None  # as it was in the moment in which no claim was there

    @property
    def leader(self) -> Process | None:
        """The process that its claim names, if there is a claim."""
        return self.handle.process if self.handle is not None else None


class Transport(Protocol):
    """A way to a host. Safe in threads. Everything may raise Unreachable."""

    def spool(self) -> Spool:
        """The spool; made if it is missing. It may be known from the present connection. Raises
        StartFailed."""

    def start(self, job: Job) -> Handle:
        """Start the job; it outlives the caller. Raises AlreadyClaimed, StartFailed."""

    def attach(self, attempt: str) -> Found:
        """Find a job that may have been started before."""

    def running(self, attempt: str, leader: Process | None) -> tuple[int, ...]:
        """The processes of a job that run, whether or not there is a claim any more."""

    def stop(self, attempt: str, leader: Process | None, grace: float) -> StopReport:
        """End them, as its handle does."""

    def clean(self, attempt: str) -> None:
        """Have its files removed soon. The claim stays: a removed claim would be an open one."""

    def cleaned(self, attempts: Sequence[str]) -> bool:
        """Remove what there still is of these, and see whether nothing is left but the claims."""

    def claims(self) -> list[str]:
        """The attempts that have a directory there: the MOST_CLAIMS that were changed last, these first."""
