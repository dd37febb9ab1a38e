"""The stand-in for `journalctl`: the journals of cvd and nginx."""

import argparse
import re
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cvdops.practice.layout import Layout
from cvdops.practice.stand_ins.units import DESCRIPTIONS

_AGO = re.compile(r"(\d+)\s*(s|sec|second|m|min|minute|h|hour|d|day|week)s?(?:\s+ago)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def main(root: str, arguments: list[str]) -> int:
    options = _options().parse_args(arguments)
    try:
        since = moment(options.since, datetime.now(UTC)) if options.since else None
    except ValueError:
        sys.stderr.write(f"Failed to parse timestamp: {options.since}\n")
        return 1
    lines: list[str] = []
    for unit in options.unit or list(DESCRIPTIONS):
        path = Layout(Path(root)).journal(unit.removesuffix(".service"))
        if path.is_file():
            lines += _after(path.read_text(errors="replace").splitlines(), since)
    if options.lines and options.lines != "all":
        lines = lines[-int(options.lines) :]
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


def _after(lines: list[str], since: datetime | None) -> list[str]:
    """The lines from then on; one without a time belongs to the one before it."""
    if since is None:
        return lines
    wanted, kept = False, []
    for line in lines:
        with suppress(ValueError, TypeError):  # the second line of a traceback, perhaps
            wanted = datetime.fromisoformat(line.partition(" ")[0]) >= since
        if wanted:
            kept.append(line)
    return kept


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="journalctl")
    parser.add_argument("-u", "--unit", action="append")
    parser.add_argument("-n", "--lines", nargs="?", const="10")
    parser.add_argument("-S", "--since", default="")
    parser.add_argument("-r", "--reverse", action="store_true")
    parser.add_argument("--no-pager", action="store_true")
    parser.add_argument("-q", "--quiet", action="store_true")
    parser.add_argument("-o", "--output")
    parser.add_argument("-p", "--priority")
    return parser
