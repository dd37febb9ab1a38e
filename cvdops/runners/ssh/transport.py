"""Jobs on another machine: started over SSH, and running on when the connection is lost."""

import os
import secrets
import time
from collections.abc import Sequence
from pathlib import Path

from cvdops.runners.environment import TOO_LARGE, check_variable
from cvdops.runners.handle import Claim, parse_claim
from cvdops.runners.interpreters import INTERPRETERS, Invocation, prelude_name
from cvdops.runners.job import (
    MARKER,
    MOST_CLAIMS,
    AlreadyClaimed,
    Found,
    Job,
    Presence,
    Process,
    Spool,
    StartFailed,
    StopReport,
    Vanished,
)
from cvdops.runners.processes import parse
from cvdops.runners.spool import check_attempt, check_name, is_attempt
from cvdops.runners.ssh import members
from cvdops.runners.ssh.address import Address
from cvdops.runners.ssh.answers import Answer
from cvdops.runners.ssh.client import Client
from cvdops.runners.ssh.handle import SshHandle
from cvdops.runners.ssh.link import Link
from cvdops.runners.ssh.quoting import call, words
from cvdops.runners.ssh.watcher import Watcher

SPOOL = ".cvdops/spool"  # below the home of the login
_CLAIM_PATIENCE = 10.0  # seconds for a new process to make its claim
_START = 15.0  # seconds for the answer to a start
_LARGEST = 6 << 20  # bytes of all variables: no Linux gives a process more
# Shells set these themselves and fail if somebody else does.
_SHELLS_OWN = frozenset(("BASHOPTS", "BASH_VERSINFO", "EUID", "OPTIND", "PPID", "SHELLOPTS", "UID"))


class SshTransport:
    """Job directories below a folder of the login's home. One for each host and process."""

    def __init__(
        self, address: Address, folder: Path, *, spool: str = SPOOL, config: Path | None = None
    ) -> None:
        """`folder` is that of the installation's keys and connections; `config` the account's SSH
        configuration, by default the one in its home. Raises ValueError for an impossible spool."""
        if not spool or not spool.isprintable() or ".." in spool.split("/"):
            raise ValueError(f"{spool!r} cannot be the spool folder of a host.")
        self.address = address
        self.client = Client(folder, config)
        self.link = Link(self.client, address, spool)
        self._watcher = Watcher(self.link)

    def spool(self) -> Spool:
        hello, known = self.link.hello(), self.link.spool
        if known is not None and known[0] is hello:
            return known[1]
        answer = self.link.ask(call("identify", secrets.token_hex(16)))
        self.check_tools()
        if answer.get("failed") is not None or not answer.text("id"):
            raise self._unusable(answer.text("failed"))
        spool = _spool(answer)
        self.link.spool = (hello, spool)
        return spool

    def start(self, job: Job) -> SshHandle:
        check_attempt(job.attempt)
        check_name(job.name)
        self.check_tools()
        invocation = INTERPRETERS[job.interpreter](job)
        answer = self.link.ask(self._begin(job, invocation), _START)
        if answer.get("claimed") is not None:
            raise AlreadyClaimed
        if answer.get("missing") is not None:
            raise StartFailed(
                f"{invocation.program} is not installed on {self.address.label} (looked in "
                f"{answer.text('missing')}). Install it, then retry the step."
            )
        entry = parse(answer.text("stat"))
        if entry is None:
            raise self._unusable(answer.text("failed"))
        process = Process(entry.pid, entry.started, self.link.hello().text("boot"))
        return self._handle(job.attempt, Claim(process, answer.text("where")))

    def attach(self, attempt: str) -> Found:
        check_attempt(attempt)
        answer = self.link.ask(call("claim", attempt))
        if answer.get("absent") is not None:
            spool, known = _spool(answer), self.link.spool
            if known is not None and known[1] != spool:
                self.link.spool = None  # it was emptied: who asks for it next has it made anew
            return Found(Presence.ABSENT, spool=spool)
        handle = self._handle(attempt, self._claim(attempt, answer))
        handle.refresh()
        try:
            finished = handle.result() is not None
        except Vanished:
            return Found(Presence.VANISHED, handle)
        return Found(Presence.FINISHED if finished else Presence.RUNNING, handle)

    def running(self, attempt: str, leader: Process | None) -> tuple[int, ...]:
        check_attempt(attempt)
        return members.running(self.link, attempt, leader)

    def stop(self, attempt: str, leader: Process | None, grace: float) -> StopReport:
        check_attempt(attempt)
        return members.stop(self.link, attempt, leader, grace)

    def clean(self, attempt: str) -> None:
        check_attempt(attempt)
        self.link.tell(call("clean", attempt))

    def cleaned(self, attempts: Sequence[str]) -> bool:
        for attempt in attempts:
            check_attempt(attempt)
        return self.link.ask(call("clean", *attempts)).get("left") is None

    def claims(self) -> list[str]:
        names = self.link.ask(call("claims", str(MOST_CLAIMS))).text("names").split()
        return [name for name in names if is_attempt(name)]

    def check_tools(self) -> None:
        """Raises StartFailed if the target lacks what every step needs, and Unreachable."""
        missing = self.link.hello().text("missing").split()
        if missing:
            raise StartFailed(
                f"{self.address.label} lacks {', '.join(missing)}, which steps need. Install it "
                "(setsid is in util-linux, the others in coreutils and grep), then retry the step."
            )

    def close(self) -> None:
        """Close the channel. The connection stays for others and ends by itself."""
        self.link.close()

    def _handle(self, attempt: str, claim: Claim | None) -> SshHandle:
        return SshHandle(self.link, self._watcher, attempt, claim)

    def _claim(self, attempt: str, answer: Answer) -> Claim | None:
        """The directory is there; its claim may just be being written."""
        deadline = time.monotonic() + _CLAIM_PATIENCE
        claim = parse_claim(answer.get("claim") or b"")
        while claim is None and time.monotonic() < deadline:
            carriers = self.link.ask(call("carriers", attempt)).get("carriers")
            claim = parse_claim(self.link.ask(call("claim", attempt)).get("claim") or b"")
            if not carriers:
                break
        return claim

    def _begin(self, job: Job, invocation: Invocation) -> str:
        """The request that starts a job. Raises StartFailed."""
        account, root = self.link.account(), self.link.hello().text("root")
        environment = {**account, **job.variables}
        environment[MARKER] = job.attempt
        if invocation.session:
            environment["CVDOPS_JOB"] = f"{root}/{job.attempt}"
        if invocation.prelude:
            environment["BASH_ENV"] = f"{root}/{prelude_name(invocation.prelude)}"
        for name, value in environment.items():
            check_variable(name, value)
        runner = f"{root}/{prelude_name(invocation.runner)}" if invocation.runner else ""
        if sum(len(os.fsencode(value)) for value in environment.values()) > _LARGEST:
            raise StartFailed(TOO_LARGE)
        return call(
            *("begin", job.attempt, job.name, "yes" if invocation.prelude else ""),
            *(invocation.script, _settings(environment)),
            *(environment["PATH"], invocation.program, job.cwd, environment["HOME"], runner),
            *invocation.options,
        )

    def _unusable(self, said: str) -> StartFailed:
        self.link.spool = None  # it may have been emptied: the next try makes it anew
        if "Argument list too long" in said:
            return StartFailed(TOO_LARGE)
        root = self.link.hello().text("root")
        # An I/O error is what dash says of a full disk, too.
        full = any(words in said for words in ("No space left", "quota", "I/O error"))
        shut = any(words in said for words in ("Permission denied", "Read-only"))
        gone = any(words in said for words in ("nonexistent", "No such file"))
        if gone and not full and not shut:  # what could not be made is missing afterwards, too
            return StartFailed(
                f"The spool folder {root} on {self.address.label} was emptied or removed. "
                "Retry the step: the folder is made anew."
            )
        remedy = "Make room or mend its disk" if full else "Mend its permissions"
        told = [line.rpartition(": ")[2] for line in said.splitlines() if ": " in line]
        reason = told[0] if told else "it gave no reason"
        return StartFailed(
            f"The spool folder {root} on {self.address.label} cannot be used: {reason}. "
            f"{remedy}, then retry the step."
        )


def _spool(answer: Answer) -> Spool:
    return Spool(answer.text("id"), answer.text("boot"))


def _settings(environment: dict[str, str]) -> str:
    """The command that sets the variables in the shell that becomes the job."""
    pairs = (f"{name}={words(value)}" for name, value in environment.items())
    return "export " + " ".join(
        pair for pair, name in zip(pairs, environment, strict=True) if name not in _SHELLS_OWN
    )
