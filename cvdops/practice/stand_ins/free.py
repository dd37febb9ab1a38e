"""The stand-in for `free` where there is none: memory and swap of this machine."""

import argparse
import sys
from pathlib import Path

_HEADS = ("total", "used", "free", "shared", "buff/cache", "available")


def main(_root: str, arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="free", add_help=False)
    for power, letter in enumerate("bkmg"):
        parser.add_argument(
            f"-{letter}", dest="power", action="store_const", const=power, default=1
        )
    parser.add_argument("-h", "--human", action="store_true")
    options = parser.parse_args(arguments)
    divisor = 1024**options.power
    known = _known()
    memory = [
        known["MemTotal"],
        known["MemTotal"] - known["MemAvailable"],
        known["MemFree"],
        known["Shmem"],
        known["Buffers"] + known["Cached"] + known.get("SReclaimable", 0),
        known["MemAvailable"],
    ]
    swap = [known["SwapTotal"], known["SwapTotal"] - known["SwapFree"], known["SwapFree"]]
    rows = [("Mem:", memory), ("Swap:", swap)]
    sys.stdout.write(" " * 7 + "".join(f"{head:>12}" for head in _HEADS) + "\n")
    for name, values in rows:
        cells = (_human(v) if options.human else str(v // divisor) for v in values)
        sys.stdout.write(f"{name:7}" + "".join(f"{cell:>12}" for cell in cells) + "\n")
    return 0


def _known() -> dict[str, int]:
    """Bytes by name."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return {line.partition(":")[0]: int(line.split()[1]) * 1024 for line in lines}


def _human(value: float) -> str:
    for unit in ("B", "Ki", "Mi", "Gi"):
        if value < 1024:
            return f"{value:.3g}{unit}"
        value /= 1024
    return f"{value:.3g}Ti"
