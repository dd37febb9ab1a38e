"""Writes runbooks and their versions. A version is never changed."""

from collections.abc import Iterable, Sequence

from django.db.models.functions import Now

from cvdops.catalog.claims import Addition, Claim, is_newest
from cvdops.catalog.models import Group, Runbook, RunbookVersion
from cvdops.catalog.report import FileAction, FileResult
from cvdops.spec import categories
from cvdops.spec.document import Runbook as Document
from cvdops.spec.rules.structure import NO_CATEGORY
from cvdops.spec.serialise import to_json


def store(claim: Claim, added: Sequence[Addition]) -> FileResult:
    """Add the versions, oldest first; the last of them is what the file is now."""
    runbook, created = Runbook.objects.select_related("newest").get_or_create(
        pk=claim.runbook_id, defaults={"path": claim.file.path, "category": claim.category}
    )
    before = runbook.path, runbook.newest_id, runbook.removed_at
    for addition in added:
        _add(runbook, addition)
    runbook.path, runbook.removed_at = claim.file.path, None
    if claim.document:
        _describe(runbook, claim.document, claim.category)
    if before != (runbook.path, runbook.newest_id, None):
        runbook.save()
        action = FileAction.ADDED if created or before[2] else FileAction.UPDATED
        renamed = f"It was {before[0]}." if before[0] != runbook.path else ""
        return _result(runbook, FileResult(runbook.path, runbook.pk, action, renamed))
    return _result(runbook, FileResult(runbook.path, runbook.pk, FileAction.UNCHANGED))


def _add(runbook: Runbook, addition: Addition) -> None:
    content, document = addition.content, addition.document
    if is_newest(runbook.newest, content.digest, bool(content.commit.id)):
        return
    last = runbook.versions.order_by("-number").values_list("number", flat=True).first()
    found = to_json(document)
    runbook.newest, _ = RunbookVersion.objects.get_or_create(
        runbook=runbook,
        commit=content.commit.id,
        content_hash=content.digest,
        defaults={
            "number": (last or 0) + 1,
            "label": str(document.metadata.get("version", ""))[:40],
            "path": content.path,
            "author": content.commit.author,
            "author_email": content.commit.author_email,
            "committed_at": content.commit.committed_at,
            "source": content.content.decode(errors="replace").replace("\0", "\ufffd"),
            "metadata": found["metadata"],
            "diagnostics": found["diagnostics"],
            "executable": document.executable,
        },
    )
    if runbook.newest.executable:
        runbook.current = runbook.newest


def _describe(runbook: Runbook, document: Document, category: str) -> None:
    group = str(document.metadata.get("group", ""))
    runbook.title = document.title[:200]
    runbook.category = category
    runbook.group = Group(group) if group in Group.values else Group.CORE


def _result(runbook: Runbook, result: FileResult) -> FileResult:
    """The result, unless the newest version is broken: then that is what there is to say."""
    newest = runbook.newest
    if newest is None or newest.executable:
        return result
    error = next((d for d in newest.diagnostics if d["severity"] == "error"), None)
    return broken(result, error or _why_not(newest))


def _why_not(newest: RunbookVersion) -> dict[str, object]:
    """What is wrong with a version that has no error and still cannot be executed."""
    found = next((d for d in newest.diagnostics if d["code"] == "RB307"), None)
    hint = f"Write category: into its front matter: one of {categories.NAMES}."
    return found or {"line": 1, "message": NO_CATEGORY, "hint": hint}


def broken(result: FileResult, diagnostic: dict[str, object]) -> FileResult:
    """The result of a file that cannot be executed, with the reason."""
    line = diagnostic["line"]
    return FileResult(
        result.path,
        result.runbook_id,
        FileAction.BROKEN,
        str(diagnostic["message"]),
        line if isinstance(line, int) else 0,
        str(diagnostic["hint"]),
    )


def remove(present: Iterable[str], refused: Iterable[str]) -> list[FileResult]:
    """Mark the runbooks whose files are gone. What comes from a refused file stays as it is."""
    gone = Runbook.objects.filter(removed_at__isnull=True).exclude(pk__in=set(present))
    gone = gone.exclude(path__in=set(refused))
    results = [
        FileResult(r.path, r.pk, FileAction.REMOVED, "It is no longer in the source.") for r in gone
    ]
    if results:
        gone.update(removed_at=Now())
    return results
