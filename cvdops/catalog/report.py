"""What a sync did, per file, and how that is kept."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from cvdops.lib.errors import UserError


class FileAction(StrEnum):
    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    BROKEN = "broken"  # kept as a version, but not executable: the last good one stays current
    REMOVED = "removed"
    REFUSED = "refused"  # not read: what the catalog had from this file stays


TO_MEND = frozenset({FileAction.BROKEN, FileAction.REFUSED})


@dataclass(frozen=True, slots=True)
class FileResult:
    """`line` counts from 1; 0 where the whole file is meant. `hint` says what to do."""

    path: str
    runbook_id: str
    action: FileAction
    message: str = ""
    line: int = 0
    hint: str = ""


@dataclass(frozen=True, slots=True)
class SyncReport:
    results: tuple[FileResult, ...]
    head: str = ""  # the commit that was read; empty without Git

    @property
    def to_mend(self) -> tuple[FileResult, ...]:
        return tuple(result for result in self.results if result.action in TO_MEND)


class SourceUnreadable(UserError):
    """The source of the runbooks cannot be read. The catalog is as it was."""

    code = "source_unreadable"
    status = 502


def to_json(results: Iterable[FileResult]) -> list[dict[str, Any]]:
    return [asdict(result) for result in results]


def settled(stored: Sequence[dict[str, Any]]) -> tuple[FileResult, ...]:
    """What a sync would report that finds everything as the one left it whose report this is."""
    results = (FileResult(**{**r, "action": FileAction(r["action"])}) for r in stored)
    return tuple(
        result
        if result.action in TO_MEND
        else replace(result, action=FileAction.UNCHANGED, message="")
        for result in results
        if result.action is not FileAction.REMOVED
    )
