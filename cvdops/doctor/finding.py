"""What a check has found, in words. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"  # it works; one day it may not
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """Sentences. `means` and `mend` are empty if it is ok."""

    name: str
    state: State
    found: str
    means: str = ""
    mend: str = ""


def ok(name: str, found: str) -> Finding:
    return Finding(name, State.OK, found)


def warning(name: str, found: str, means: str, mend: str) -> Finding:
    return Finding(name, State.WARNING, found, means, mend)


def wrong(name: str, found: str, means: str, mend: str) -> Finding:
    return Finding(name, State.WRONG, found, means, mend)
