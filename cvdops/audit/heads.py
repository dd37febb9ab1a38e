"""Heads of the chain, noted in a file outside the database: who makes the chain anew cannot make it fit.

Each line is `2026-11-26T12:00:00+00:00 1234 HASH`. After a backup was restored a line `… 1200 restored` says
that what had been noted above that number is no longer there.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from cvdops.audit.chain import Head

RESTORED = "restored"
_LONGEST = 200  # bytes; no line is longer
_LINE = re.compile(r"(\S+) (\d{1,19}) ([0-9a-f]{64}|restored)")


class HeadsUnreadable(Exception):
    """The file is damaged, or is not one of these."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What one line says; a `restored` one has no hash."""

    when: str
    number: int
    hash: bytes


def note(head: Head) -> None:
    """Add a line, and see that it is on the disk. Raises OSError."""
    _append(head.number, bytes(head.hash).hex())


def note_restored(number: int) -> None:
    """A backup was restored whose chain ends here."""
    if read():
        _append(number, RESTORED)


def known() -> dict[int, bytes]:
    """Number → hash, of what still has to be there."""
    found: dict[int, bytes] = {}
    for line in read():
        if line.hash:
            found[line.number] = line.hash
        else:
            found = {number: stored for number, stored in found.items() if number <= line.number}
    return found


def read() -> list[Noted]:
    """All lines, oldest first; none if nothing was ever noted. Raises HeadsUnreadable."""
    try:
        return list(_lines(_path().read_text()))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise HeadsUnreadable(f"{_path()} cannot be read: {error}.") from None


def newest() -> Noted | None:
    """The last line alone, however long the file is. Raises HeadsUnreadable."""
    try:
        with _path().open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 2 * _LONGEST))
            text = file.read().decode()
        whole = text if size <= 2 * _LONGEST else text.partition("\n")[2]
        found = list(_lines(whole))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise HeadsUnreadable(f"{_path()} cannot be read: {error}.") from None
    return found[-1] if found else None


def _lines(text: str) -> Iterator[Noted]:
    """What is behind the last line break was cut off by the end of a machine, and counts as not written."""
    for line in text.split("\n")[:-1]:
        match = _LINE.fullmatch(line)
        if match is None:
            raise HeadsUnreadable(f"A line of {_path()} is no head of the chain: {line[:80]}")
        stored = b"" if match[3] == RESTORED else bytes.fromhex(match[3])
        yield Noted(match[1], int(match[2]), stored)


def _append(number: int, what: str) -> None:
    path: Path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    line = f"{datetime.now(UTC).isoformat(timespec='seconds')} {number} {what}\n"
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(file).st_size
        tail = os.pread(file, _LONGEST, max(0, size - _LONGEST))
        os.ftruncate(file, size - len(tail) + tail.rfind(b"\n") + 1)
        os.write(file, line.encode())
        os.fsync(file)
    finally:
        os.close(file)


def _path() -> Path:
    return Path(settings.AUDIT_HEADS)
