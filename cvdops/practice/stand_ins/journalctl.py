"""The stand-in for `journalctl`: the journals of cvd and nginx."""

import argparse
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cvdops.practice.layout import Layout
from cvdops.practice.stand_ins.units import DESCRIPTIONS

_AGO = re.compile(r"(\d+)\s*(s|sec|second|m|min|minute|h|hour|d|day|week)s?(?:\s+ago)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_FROM_LEVEL = {
    "err": ("ERROR", "CRITICAL", "Traceback"),
    "warning": ("WARNING", "ERROR", "CRITICAL", "Traceback"),
}
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def main(root: str, arguments: list[str]) -> int:
    options = _options().parse_args(arguments)
    units = [unit.removesuffix(".service") for unit in options.unit or DESCRIPTIONS]
    paths = [Layout(Path(root)).journal(unit) for unit in units if unit in DESCRIPTIONS]
    number = options.lines or ("10" if options.follow else "all")
    if options.follow:
        files = [str(path) for path in paths]
        os.execvp("tail", ["tail", "-q", "-n", number.replace("all", "+1"), "-F", *files])  # noqa: S606, S607 (the one on the PATH)
    try:
        since = moment(options.since, datetime.now(UTC)) if options.since else _LONG_AGO
    except ValueError:
        sys.stderr.write(f"Failed to parse timestamp: {options.since}\n")
        return 1
    lines = _selected(paths, since, _FROM_LEVEL.get(options.priority, ()))
    lines = lines if number == "all" else lines[len(lines) - min(int(number), len(lines)) :]
    if options.reverse:
        lines.reverse()
    sys.stdout.write("\n".join(lines or ["-- No entries --"]) + "\n")
    return 0


def moment(text: str, now: datetime) -> datetime:
    """A time as `--since` gives it. Raises ValueError."""
    text = text.strip()
    if text in ("today", "yesterday"):
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - timedelta(days=text == "yesterday")
    if match := _AGO.fullmatch(text.removeprefix("-")):
        return now - timedelta(seconds=int(match[1]) * _SECONDS[match[2][0]])
    given = datetime.fromisoformat(text)
    return given if given.tzinfo else given.astimezone()


def _selected(paths: list[Path], since: datetime, words: tuple[str, ...]) -> list[str]:
    """The lines from then on of all journals by time, of these levels if any are named."""
    entries: list[tuple[datetime, str]] = []
    for path in paths:
        if path.is_file():
            entries += _timed(path.read_text(errors="replace").splitlines())
    entries.sort(key=lambda entry: entry[0])
    return [
        line
        for when, line in entries
        if when >= since and (not words or any(word in line for word in words))
    ]


def _timed(lines: list[str]) -> Iterator[tuple[datetime, str]]:
    """A line without a time, of a traceback perhaps, has the time of the one before it."""
    when = _LONG_AGO
    for line in lines:
        with suppress(ValueError):
            found = datetime.fromisoformat(line.partition(" ")[0])
            when = found if found.tzinfo else when
        yield when, line


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="journalctl")
    parser.add_argument("-u", "--unit", action="append")
    parser.add_argument("-n", "--lines", type=_count)
    parser.add_argument("-S", "--since", default="")
    parser.add_argument("-p", "--priority", choices=tuple(_FROM_LEVEL))
    parser.add_argument("-f", "--follow", action="store_true")
    parser.add_argument("-r", "--reverse", action="store_true")
    for letter, name in (("-q", "quiet"), ("-x", "catalog"), ("-e", "pager-end")):
        parser.add_argument(letter, f"--{name}", action="store_true", help="changes nothing here")
    parser.add_argument("--no-pager", action="store_true", help="there is none")
    return parser


def _count(text: str) -> str:
    if text != "all" and not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a number of lines")
    return text
