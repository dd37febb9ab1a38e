"""A test of a host, step by step: how a step of it ends, and what all kinds of hosts have in common."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from cvdops.runners.job import StartFailed, Unreachable
from cvdops.runners.ssh.known_hosts import HostKey

COMMAND = re.compile(r"[A-Za-z0-9_./+-]{1,200}")
# A shell of its own looks: whatever functions the asking one has are no commands.
MISSING = 'for tool do command -v "$tool" >/dev/null || printf "%s " "$tool"; done'
_KINDS_OF_MEMORY = ("tmpfs", "ramfs")


class Outcome(StrEnum):
    """How a step of the test ended."""

    OK = "ok"
    WARNING = "warning"  # some steps of runbooks will not work, or not always
    FAILED = "failed"
    SKIPPED = "skipped"  # not tried


@dataclass(frozen=True, slots=True)
class Check:
    """One step of the test."""

    step: str
    outcome: Outcome
    sentence: str
    seconds: float


class Probe(Protocol):
    """A test of one host. Iterating does it."""

    @property
    def keys(self) -> Sequence[HostKey]:
        """The keys that the host has shown so far."""

    def __iter__(self) -> Iterator[Check]: ...

    def close(self) -> None:
        """Give back what it used."""


class Failed(Exception):
    """This step failed. The text says why and what to do."""


class Doubtful(Exception):
    """This step did not fail, yet something is not as it should be. The text says what to do."""


class Skip(Exception):
    """This step does not apply. The text says why."""


S = TypeVar("S")
Steps = tuple[tuple[str, Callable[[S], str], bool], ...]  # title, act, needed by those after it


def carried_out(steps: Steps[S], subject: S) -> Iterator[Check]:
    """All steps in order. After one without which the next make no sense, these are not tried."""
    obstacle = ""
    for title, step, needed in steps:
        if obstacle:
            yield Check(title, Outcome.SKIPPED, f"Not tried, because of {obstacle}.", 0.0)
            continue
        before = time.monotonic()
        try:
            outcome, sentence = Outcome.OK, step(subject)
        except Skip as skip:
            outcome, sentence = Outcome.SKIPPED, str(skip)
        except Doubtful as doubt:
            outcome, sentence = Outcome.WARNING, str(doubt)
        except (Failed, StartFailed) as failure:
            outcome, sentence = Outcome.FAILED, str(failure)
        except Unreachable as error:
            outcome, sentence = Outcome.FAILED, f"{error.why} {error.remedy}"
        yield Check(title, outcome, sentence, time.monotonic() - before)
        if needed and outcome is Outcome.FAILED:
            obstacle = title


def all_there(asked: Sequence[str], missing: Sequence[str]) -> str:
    """The sentence about the commands that were looked for. Raises Doubtful, Skip."""
    if not asked:
        raise Skip("No runbook says which commands it needs.")
    if missing:
        raise Doubtful(
            f"Not there: {', '.join(missing)}. Steps that use them will fail here: install them, "
            "or mend the PATH of the environment."
        )
    return f"All {len(asked)} are there: {', '.join(asked)}."


def room(root: str, said: str) -> str:
    """The sentence about a spool folder that can be written to, of `stat -f -c "%T %a %S"`.

    Raises Failed.
    """
    match said.split():
        case [kind, blocks, size] if blocks.isdecimal() and size.isdecimal():
            if kind in _KINDS_OF_MEMORY:
                raise Failed(f"{root} is in memory and lost with a restart. Choose a disk.")
            return f"{root} can be written to; {int(blocks) * int(size) >> 20:,} MB are free."
    raise Failed(f"Nothing can be written to {root}. Make room or mend its permissions.")


NO_SUDO = (
    "sudo does not work without a password: steps that use it will fail. "
    "Allow the commands that they need in sudoers with NOPASSWD."
)
ENDED_WITH_SESSION = (
    "Its systemd-logind ends all processes of a user with the last session "
    "(KillUserProcesses=yes): a step would not survive {}. Set "
    "KillUserProcesses=no or KillExcludeUsers={} in logind.conf."
)
ASK_LOGIND = (
    *("busctl", "get-property", "org.freedesktop.login1", "/org/freedesktop/login1"),
    *("org.freedesktop.login1.Manager", "KillUserProcesses"),
)
