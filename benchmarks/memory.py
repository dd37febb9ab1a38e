"""What the idle system costs: memory that is its own share (PSS), and processor time."""

import time
from contextlib import suppress
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.system import System

SETTLE = 20.0  # seconds without a request before it counts as idle
WATCH = 20.0  # seconds over which processor time is counted


def measure(system: System) -> list[Figure]:
    """PSS in MB of every process that the start brought up, and their share of one core."""
    time.sleep(SETTLE)
    pids = system.pids("")
    before = {pid: _ticks(pid) for pid in pids}
    time.sleep(WATCH)
    pids = [pid for pid in pids if Path(f"/proc/{pid}").exists()]  # PostgreSQL ends some of its own
    used = sum(_ticks(pid) - before[pid] for pid in pids) / 100 / WATCH * 100
    return [
        Figure("idle memory of the whole system (PSS)", sum(map(_pss, pids)), "MB", 141.0, 240.0),
        Figure("idle processor time", used, "%", None, 1.0),
    ]


def _pss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _ticks(pid: int) -> int:
    with suppress(FileNotFoundError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
    return 0
