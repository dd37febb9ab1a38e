"""Which file is which runbook: one file for one id, and what is refused."""

import re
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass

from cvdops.catalog.models import Runbook, RunbookVersion
from cvdops.catalog.report import FileAction, FileResult
from cvdops.catalog.snapshot import Content, File
from cvdops.spec.document import Runbook as Document

Read = Callable[[bytes, str], Document]  # a file's bytes and its path
RESERVED = frozenset({"import", "rules"})  # pages beside those of the runbooks
_ID = re.compile(rb"^id[ \t]*:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that is the runbook of this id. No document: the file is as the newest version."""

    file: File
    runbook_id: str
    category: str
    document: Document | None


def claims(
    files: Iterable[File], touched: Container[str], read: Read
) -> tuple[list[Claim], list[FileResult]]:
    """The runbooks of the files, and those files that are none.

    `touched` are the paths that were written since the last sync, perhaps to what they were before.
    """
    known = {r.pk: r for r in Runbook.objects.select_related("newest").defer("newest__source")}
    places = {r.path: r for r in known.values() if r.removed_at is None}
    read_ones: list[Claim | FileResult] = []
    for file in files:
        here = places.get(file.path)
        if here and file.path not in touched and _unchanged(here, file):
            read_ones.append(Claim(file, here.pk, here.category, None))
        else:
            read_ones.append(_claim(file, here, known, read))
    wanted = [one for one in read_ones if isinstance(one, Claim)]
    refused = [one for one in read_ones if isinstance(one, FileResult)]
    holders = _holders(wanted, known)
    taken = [c for c in wanted if holders[c.runbook_id] != c.file.path]
    refused += [_taken(claim, holders[claim.runbook_id]) for claim in taken]
    return [claim for claim in wanted if claim not in taken], refused


def is_newest(version: RunbookVersion | None, digest: str, committed: bool) -> bool:
    """Whether the version is this content. One that was read before it was committed lacks its author."""
    return version is not None and (
        version.content_hash == digest and (bool(version.commit) or not committed)
    )


def _unchanged(runbook: Runbook, file: File) -> bool:
    return is_newest(runbook.newest, file.digest, file.committed)


def _claim(
    file: File, here: Runbook | None, known: Mapping[str, Runbook], read: Read
) -> Claim | FileResult:
    document = read(file.content, file.path)
    named = str(document.metadata.get("id", "")) == document.id
    # Whose head cannot be read any more is still the runbook that it was.
    runbook_id = document.id if named or here is None else here.pk
    if runbook_id in RESERVED:
        message = f"{runbook_id} cannot be the id of a runbook: the portal has a page there."
        hint = "Write another id into its front matter."
        return FileResult(file.path, runbook_id, FileAction.REFUSED, message, 1, hint)
    # One that loses its category stays where it was: nobody sees more of it, or less.
    kept = known[runbook_id].category if runbook_id in known else ""
    return Claim(file, runbook_id, document.category or kept, document)


def _holders(found: Iterable[Claim], known: Mapping[str, Runbook]) -> dict[str, str]:
    """The path of each id: that which had it already, else the first by name."""
    holders: dict[str, str] = {}
    for claim in sorted(found, key=lambda c: c.file.path):
        runbook = known.get(claim.runbook_id)
        had = runbook and runbook.removed_at is None and runbook.path == claim.file.path
        if had or claim.runbook_id not in holders:
            holders[claim.runbook_id] = claim.file.path
    return holders


def _taken(claim: Claim, holder: str) -> FileResult:
    given = _ID.search(claim.file.content)
    line = claim.file.content.count(b"\n", 0, given.start()) + 1 if given else 1
    return FileResult(
        claim.file.path,
        claim.runbook_id,
        FileAction.REFUSED,
        f"{holder} has the id {claim.runbook_id} already.",
        line,
        "Give one of them another id.",
    )


@dataclass(frozen=True, slots=True)
class Addition:
    """A content that becomes a version."""

    content: Content
    document: Document


def additions(claim: Claim, past: list[Content], rewritten: bool, read: Read) -> list[Addition]:
    """What the history of the file adds to the versions of its runbook, oldest first.

    `rewritten`: the past is not only what came after the last sync, so some of it may be known.
    """
    if claim.document is None:
        return []
    versions = RunbookVersion.objects.filter(runbook_id=claim.runbook_id)
    known = set(versions.values_list("commit", "content_hash"))
    contents = {digest for _, digest in known}
    last = max((i for i, c in enumerate(past) if (c.commit.id, c.digest) in known), default=-1)
    *before, now = past
    found = []
    for content in before[last + 1 :]:
        if rewritten and content.digest in contents:
            continue
        document = read(content.content, content.path)
        if document.id == claim.runbook_id:  # the file may have been another runbook
            found.append(Addition(content, document))
    return [*found, Addition(now, claim.document)]
