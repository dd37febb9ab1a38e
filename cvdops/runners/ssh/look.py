"""How a job stood when it was looked at, read from an answer of the target. Believed within limits."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cvdops.runners import verdict
from cvdops.runners.job import Process
from cvdops.runners.processes import BUSY, parse
from cvdops.runners.ssh.answers import Answer

_LINE = re.compile(r"([0-9a-f]{1,8}) ([0-9]{1,18}) ([a-z0-9/-]{1,64})")
_REGULAR = 0o100000
_KIND = 0o170000


@dataclass(frozen=True, slots=True)
class File:
    """Size in bytes, and whether it is a plain file."""

    size: int
    regular: bool


@dataclass(frozen=True, slots=True)
class Look:
    """The job directory and its process."""

    running: bool
    absent: bool = False  # there is no directory
    files: dict[str, File] = field(default_factory=dict)
    rc: bytes | None = None
    ended: bytes | None = None
    out: bytes = b""  # from the offset on that was asked for
    session: bytes = b""
    children: str = ""  # the states of those of its process, while that runs and `ended` is there

    @property
    def size(self) -> int:
        out = self.files.get("out")
        return out.size if out and out.regular else 0

    @property
    def writing(self) -> bool:
        """What the command wrote is still on its way into `out`."""
        return any(state in BUSY for state in self.children)

    @property
    def at_work(self) -> bool:
        """The command runs, whatever lies in `ended`."""
        return self.running and verdict.at_work(len(self.children))

    def replaced(self, *names: str) -> bool:
        """Whether something else lies where one of these files was."""
        return any(name in self.files and not self.files[name].regular for name in names)


def read_look(answer: Answer, process: Process | None, boot: str) -> Look:
    """The answer to `look`."""
    files = dict(_files(answer))
    return Look(
        running=_alive(process, boot, _running(answer)),
        absent=answer.get("absent") is not None,
        files=files,
        rc=_content(answer, files, "rc"),
        ended=_content(answer, files, "ended"),
        out=answer.get("out") or b"",
        session=answer.get("vars") or b"",
        children=answer.text("children"),
    )


def read_sizes(
    answer: Answer, jobs: Sequence[tuple[str, Process | None]], boot: str
) -> dict[str, Look]:
    """The answer to `sizes`: by attempt, without any content."""
    running = _running(answer)
    files: dict[str, dict[str, File]] = {attempt: {} for attempt, _ in jobs}
    for path, file in _files(answer):
        attempt, _, name = path.partition("/")
        if attempt in files:
            files[attempt][name] = file
    return {
        attempt: Look(_alive(process, boot, running), files=files[attempt])
        for attempt, process in jobs
    }


def _running(answer: Answer) -> set[tuple[int, int]]:
    """Number and start of the processes in an answer that have not ended."""
    found = (parse(line.decode(errors="replace")) for line in answer.all("process"))
    return {(one.pid, one.started) for one in found if one and not one.ended}


def _alive(process: Process | None, boot: str, running: set[tuple[int, int]]) -> bool:
    if process is None or process.boot_id != boot:
        return False
    return (process.pid, process.started) in running


def _files(answer: Answer) -> Iterator[tuple[str, File]]:
    """Lines of mode (hexadecimal), size and name."""
    for line in answer.text("files").splitlines():
        match = _LINE.fullmatch(line)
        if match:
            regular = int(match[1], 16) & _KIND == _REGULAR
            yield match[3], File(int(match[2]), regular)


def _content(answer: Answer, files: dict[str, File], name: str) -> bytes | None:
    """The small file as it was read; its end is missing if it is longer than any honest one."""
    file = files.get(name)
    if file is None or not file.regular:
        return None
    content = answer.get(name) or b""
    return content if len(content) == file.size else b"?"
