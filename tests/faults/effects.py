"""The effect counter: steps write on their target when they begin and end, and print what is known before."""

import shutil
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_SCRIPT = """\
note() {{ printf '%s %s {key} %s\\n' "$CVDOPS_ATTEMPT" "$1" "$BASHPID" >>'{file}'; }}
note begin
{mark}X=$((RUN * 7919 + {seed}))
for ((I = 0; I < {lines}; I++)); do
  X=$(((X * 1103515245 + 12345) & 2147483647))
  printf '%d %d\\n' "$I" "$X"
  sleep {pause}
done
note end"""
_MARK = "mkdir '{folder}'/\"${{RUN}}.{key}.${{HOME//\\//_}}\"\n"

VARIABLES = "variables: {RUN: {required: true}}\n"  # of a runbook with such steps


@dataclass(frozen=True, slots=True)
class Effects:
    """A folder that every login of this machine can write to."""

    folder: Path
    lines: dict[str, int] = field(default_factory=dict)  # of each step's output, by its key

    def script(self, key: str, seconds: float = 0.2, lines: int = 8, *, once: bool = True) -> str:
        """A step that takes so long. With `once` a second run on the same host fails loudly.

        Its runbook declares VARIABLES; RUN is a number that tells executions apart.
        """
        self.lines[key] = lines
        mark = _MARK.format(folder=self.folder, key=key) if once else ""
        pause = f"{seconds / lines:.3f}"
        values = {"key": key, "file": self._file, "seed": _seed(key), "lines": lines}
        return _SCRIPT.format(mark=mark, pause=pause, **values)

    def output(self, key: str, run: int) -> bytes:
        """What the step prints in the execution with this RUN."""
        number, lines = run * 7919 + _seed(key), []
        for line in range(self.lines[key]):
            number = (number * 1103515245 + 12345) & 0x7FFFFFFF
            lines.append(f"{line} {number}\n")
        return "".join(lines).encode()

    def counted(self) -> Counter[tuple[str, str]]:
        """(attempt, "begin" or "end") → how often it was written."""
        lines = [line.split() for line in self._file.read_text().splitlines()]
        return Counter((attempt, word) for attempt, word, *_ in lines)

    @property
    def _file(self) -> Path:
        return self.folder / "effects"


@contextmanager
def effects() -> Iterator[Effects]:
    """An empty one, not below pytest's folder: that one is closed to the users of SSH hosts."""
    folder = Path(tempfile.mkdtemp(prefix="cvdops-effects-"))
    folder.chmod(0o777)
    (folder / "effects").touch()
    (folder / "effects").chmod(0o666)
    yield Effects(folder)
    shutil.rmtree(folder)


def _seed(key: str) -> int:
    return zlib.crc32(key.encode()) & 0xFFFF
