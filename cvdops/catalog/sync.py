"""Bring the catalog up to the folder of runbooks: every content that it ever had stays as a version."""

import hashlib
import subprocess
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from cvdops.catalog.models import Group, Runbook, RunbookVersion
from cvdops.lib.errors import UserError
from cvdops.spec.document import Category
from cvdops.spec.document import Runbook as Document
from cvdops.spec.parser import parse
from cvdops.spec.serialise import to_json

LIMIT = 1_000_000  # bytes: the parser reads no more
_LOCK = 0x43564401  # advisory: one sync at a time


class FileAction(StrEnum):
    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    BROKEN = "broken"  # kept as a version, but not executable: the last good one stays current
    REMOVED = "removed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class FileResult:
    path: str
    runbook_id: str
    action: FileAction
    message: str = ""


@dataclass(frozen=True, slots=True)
class SyncReport:
    results: tuple[FileResult, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was found, with the commit that last touched it if the folder is under Git."""

    path: str
    content: bytes
    commit: str = ""
    author: str = ""
    committed_at: datetime | None = None


class SourceUnreadable(UserError):
    """The folder of runbooks cannot be read."""

    code = "source_unreadable"


def sync(folder: Path | None = None) -> SyncReport:
    """Read every Markdown file of the folder. Safe to run twice at once. Raises SourceUnreadable."""
    sources = _read(folder or settings.RUNBOOKS_DIR)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        seen: dict[str, str] = {}
        results = [_store(source, seen) for source in sources]
        results += _remove(set(seen))
    return SyncReport(tuple(results))


def _read(folder: Path) -> list[Source]:
    try:
        paths = sorted(p for p in folder.iterdir() if p.suffix.lower() == ".md")
    except OSError as error:
        raise SourceUnreadable(
            f"The folder of runbooks, {folder}, cannot be read: {error.strerror}."
        ) from None
    return [_source(path) for path in paths if path.is_file() and not path.is_symlink()]


def _source(path: Path) -> Source:
    with path.open("rb") as file:
        content = file.read(LIMIT + 1)
    return Source(path.name, content, *_commit(path))


def _commit(path: Path) -> tuple[str, str, datetime | None]:
    """The last commit of a file that has no uncommitted change; nothing where there is no Git."""
    git = ["git", "--no-optional-locks", "-C", str(path.parent)]
    try:
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--", path.name], capture_output=True, timeout=10
        )
        if changed.returncode or changed.stdout:
            return "", "", None
        log = subprocess.run(
            [*git, "log", "-1", "--format=%H%x00%an%x00%cI", "--", path.name],
            capture_output=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "", "", None
    fields = log.stdout.decode(errors="replace").strip().split("\0")
    if log.returncode or len(fields) != 3:
        return "", "", None
    return fields[0], fields[1][:200], datetime.fromisoformat(fields[2])


def _store(source: Source, seen: dict[str, str]) -> FileResult:
    name = Path(source.path).stem.lower()
    found = parse(source.content, name=name)
    if found.id in seen:
        return FileResult(
            source.path,
            found.id,
            FileAction.REFUSED,
            f"{seen[found.id]} has the id {found.id} already. Give one of them another id.",
        )
    category = str(found.metadata.get("category", ""))
    if category not in {c.value for c in Category}:
        return FileResult(
            source.path,
            found.id,
            FileAction.REFUSED,
            f"Its category is {category or 'missing'}. Name one of: "
            + ", ".join(c.value for c in Category)
            + ".",
        )
    seen[found.id] = source.path
    return _version(source, found, category)


def _version(source: Source, found: Document, category: str) -> FileResult:
    group = str(found.metadata.get("group", ""))
    runbook, created = Runbook.objects.get_or_create(
        pk=found.id, defaults={"path": source.path, "category": category, "title": found.title}
    )
    digest = hashlib.sha256(source.content).hexdigest()
    newest = runbook.newest
    if (
        newest
        and newest.content_hash == digest
        and newest.commit == source.commit
        and (runbook.removed_at is None)
    ):
        return FileResult(source.path, found.id, FileAction.UNCHANGED)
    version = _new_version(runbook, source, found, digest)
    runbook.path, runbook.category, runbook.removed_at = source.path, category, None
    runbook.title = found.title[:200]
    runbook.group = group if group in Group.values else Group.CORE
    runbook.newest = version
    if version.executable:
        runbook.current = version
    runbook.save()
    if not version.executable:
        first = next((d for d in found.diagnostics if d.severity == "error"), None)
        text = f"line {first.line}: {first.message}" if first else "it has no procedure"
        return FileResult(source.path, found.id, FileAction.BROKEN, text)
    return FileResult(source.path, found.id, FileAction.ADDED if created else FileAction.UPDATED)


def _new_version(runbook: Runbook, source: Source, found: Document, digest: str) -> RunbookVersion:
    last = runbook.versions.order_by("-number").first()
    version, _ = RunbookVersion.objects.get_or_create(
        runbook=runbook,
        commit=source.commit,
        content_hash=digest,
        defaults={
            "number": last.number + 1 if last else 1,
            "label": str(found.metadata.get("version", ""))[:40],
            "author": source.author,
            "committed_at": source.committed_at,
            "source": source.content.decode(errors="replace").replace("\0", "\ufffd"),
            "metadata": to_json(found)["metadata"],
            "diagnostics": to_json(found)["diagnostics"],
            "executable": found.executable,
        },
    )
    return version


def _remove(present: set[str]) -> list[FileResult]:
    gone = Runbook.objects.filter(removed_at__isnull=True).exclude(pk__in=present)
    results = [
        FileResult(r.path, r.pk, FileAction.REMOVED, "It is no longer in the folder.") for r in gone
    ]
    gone.update(removed_at=Now())
    return results
