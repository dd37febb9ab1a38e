"""The stand-in for `ps` where there is none: processes by number, user, memory and command."""

import os
import pwd
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_USUAL = "pid,user,%cpu,%mem,rss,stat,etimes,args"


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    user: str
    name: str
    command: str
    stat: list[str]  # the fields of /proc/<pid>/stat from the state on

    @property
    def age(self) -> float:
        return max(_uptime() - int(self.stat[19]) / _TICKS, 0.01)

    @property
    def kibibytes(self) -> int:
        return int(self.stat[21]) * _PAGE // 1024

    @property
    def cpu(self) -> float:
        return 100 * (int(self.stat[11]) + int(self.stat[12])) / _TICKS / self.age

    @property
    def memory(self) -> float:
        return 100 * self.kibibytes * 1024 / (os.sysconf("SC_PHYS_PAGES") * _PAGE)


_COLUMNS: dict[str, Callable[[Process], float | str]] = {
    "pid": lambda p: p.pid,
    "ppid": lambda p: int(p.stat[1]),
    "user": lambda p: p.user,
    "%cpu": lambda p: round(p.cpu, 1),
    "%mem": lambda p: round(p.memory, 1),
    "rss": lambda p: p.kibibytes,
    "vsz": lambda p: int(p.stat[20]) // 1024,
    "stat": lambda p: p.stat[0],
    "etimes": lambda p: round(p.age),
    "etime": lambda p: time.strftime("%H:%M:%S", time.gmtime(p.age)),
    "comm": lambda p: p.name,
    "args": lambda p: p.command,
}
_ALSO = {"pcpu": "%cpu", "pmem": "%mem", "cmd": "args", "command": "args", "ucmd": "comm"}


def main(_root: str, arguments: list[str]) -> int:
    """Understands -p, -C, -o, --sort, --no-headers; everything else lists all. 1 if none is found."""
    options = _split(arguments)
    names = [part.partition("=")[0] for part in options.get("-o", _USUAL).split(",")]
    columns = [_ALSO.get(name, name) for name in names]
    order = options.get("--sort", "pid")
    for column in [*columns, order.lstrip("+-")]:
        if _ALSO.get(column, column) not in _COLUMNS:
            sys.stderr.write(f"ps: unknown column {column}; there is {', '.join(_COLUMNS)}\n")
            return 1
    found = [process for process in _processes() if _wanted(process, options)]
    key = _COLUMNS[_ALSO.get(order.lstrip("+-"), order.lstrip("+-"))]
    found.sort(key=key, reverse=order.startswith("-"))
    rows = [[str(_COLUMNS[column](process)) for column in columns] for process in found]
    if "--no-headers" not in options and not options.get("-o", "").endswith("="):
        rows.insert(0, [column.upper() for column in columns])
    _print(rows)
    return 0 if found else 1


def _split(arguments: list[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if argument in ("-p", "-C", "-o") or (argument == "--sort" and not equals):
            joined = options.get(argument, "")
            options[argument] = ",".join(filter(None, (joined, next(rest, ""))))
        elif argument.startswith("-") and argument.endswith("o") and argument != "-o":
            options["-o"] = next(rest, "")  # -eo, -axo
        else:
            options[name] = value
    return options


def _wanted(process: Process, options: dict[str, str]) -> bool:
    if "-p" in options:
        return str(process.pid) in options["-p"].split(",")
    return process.name in options["-C"].split(",") if "-C" in options else True


def _processes() -> list[Process]:
    return [
        process
        for entry in os.scandir(_PROC)
        if entry.name.isdecimal() and (process := _process(entry.name))
    ]


def _process(number: str) -> Process | None:
    try:
        head, _, tail = (_PROC / number / "stat").read_text().rpartition(")")
        words = (_PROC / number / "cmdline").read_text(errors="replace").replace("\0", " ").strip()
        owner = (_PROC / number).stat().st_uid
    except OSError:
        return None
    name = head.partition("(")[2]
    try:
        user = pwd.getpwuid(owner).pw_name
    except KeyError:
        user = str(owner)
    return Process(int(number), user, name, words or f"[{name}]", tail.split())


def _uptime() -> float:
    return float((_PROC / "uptime").read_text().split()[0])


def _print(rows: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        sys.stdout.write(" ".join([*cells, row[-1]]) + "\n")
