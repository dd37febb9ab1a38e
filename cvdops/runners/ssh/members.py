"""What there is of a job on another machine: looked for and ended, each over a channel of its own."""

from cvdops.runners.job import Process, StopReport
from cvdops.runners.ssh.answers import Answer
from cvdops.runners.ssh.halting import KILL_PATIENCE
from cvdops.runners.ssh.link import Link
from cvdops.runners.ssh.quoting import call

_SEARCH = 20.0  # seconds that looking for processes takes at most, beside the grace


def running(link: Link, attempt: str, leader: Process | None) -> tuple[int, ...]:
    """Process ids. Raises Unreachable."""
    with link.extra() as lane:
        (answer,) = lane.ask(call("running", attempt, *_words(leader)), timeout=_SEARCH)
    return _left(answer)


def stop(link: Link, attempt: str, leader: Process | None, grace: float) -> StopReport:
    """TERM, after `grace` seconds KILL. Raises Unreachable."""
    timeout = grace + KILL_PATIENCE + _SEARCH
    with link.extra() as lane:
        request = call("halt", attempt, *_words(leader), round(grace * 100))
        (answer,) = lane.ask(request, timeout=timeout)
    left = _left(answer)
    return StopReport(not left, left)


def _words(leader: Process | None) -> tuple[str | int, ...]:
    return (leader.pid, leader.started, leader.boot_id) if leader else ("", "", "")


def _left(answer: Answer) -> tuple[int, ...]:
    return tuple(sorted(int(pid) for pid in answer.text("left").split() if pid.isdecimal()))
