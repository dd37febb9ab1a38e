"""What the files of a job say about its end: pure, the same for every transport."""

import re
from collections.abc import Mapping

from cvdops.runners.job import Result, Vanished
from cvdops.runners.session import read_session

LINGER = 0.5  # seconds in which what a command has written before its end reaches `out`
LONGEST = 10.0  # the same while what carries it there has not come to rest: the machine may be busy
_EXIT_CODE = re.compile(rb"[0-9]{1,3}\n")


def replaced() -> Vanished:
    """Something else lies where the job's own file was."""
    return Vanished("A file of its job directory was replaced: it cannot be believed.")


def exit_code(code: bytes | None, *, running: bool) -> int | None:
    """The content of `rc` as a number; None while it runs. Raises Vanished.

    The shell of the job writes it last of all. What lies there while that still runs is from somebody else,
    the step perhaps, which knows its directory: it is not to be given here.
    """
    if code and _EXIT_CODE.fullmatch(code) and int(code) <= 255:
        return int(code)
    if running:
        return None
    if code is None:
        raise Vanished("Its process ended without leaving an exit code.")
    raise Vanished("What it left as its exit code is none: the disk of its host may be full.")


def over(seconds: float, *, running: bool, writing: bool) -> bool:
    """Whether a command that ended so long ago counts as over while a child keeps the output open."""
    return not running or seconds >= (LONGEST if writing else LINGER)


def at_work(children: int) -> bool:
    """Whether the command of a job still runs, by how many children the shell of the job has.

    The other one takes its output to `out`. What lies in `ended` by then is not from the shell.
    """
    return children > 1


def result(code: int, dump: bytes, cwd: str, account: Mapping[str, str]) -> Result:
    """The end of a job that began in `cwd`. What the account sets anyway is no news."""
    left = read_session(dump)
    variables = dict(left.variables.items() - account.items())
    return Result(code, variables, left.cwd or cwd, left.carried, left.dropped)
