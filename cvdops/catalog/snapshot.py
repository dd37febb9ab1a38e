"""The files of the source as they are now, those that are refused, and how they came to be."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cvdops.catalog import names
from cvdops.catalog.git import Git, GitFailed, TookTooLong, TooLarge
from cvdops.catalog.history import LINK, SUBMODULE, Commit, Entry, History, Revision
from cvdops.catalog.report import SourceUnreadable

LIMIT = 1_000_000  # bytes of a file: the parser reads no more
FILES = 1_000
BYTES = 50_000_000  # of all files
_POINTER = b"version https://git-lfs.github.com/"

TOO_MANY = (
    f"More than {FILES:,} Markdown files were found where runbooks are expected. Nothing was changed. "
    "Name the folder that holds them: in a repository with CVDOPS_RUNBOOKS_FOLDER."
)
TOO_MUCH = (
    f"The Markdown files take more than {BYTES // 1_000_000} MB. Nothing was changed. "
    "Move those that are no runbooks elsewhere."
)


@dataclass(frozen=True, slots=True)
class Content:
    """A file as it was at a commit, or as it is uncommitted."""

    path: str
    content: bytes
    commit: Commit

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is now. `committed` if just so in the head."""

    path: str
    content: bytes
    committed: bool

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that is not read."""

    path: str
    why: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`head` is the commit that was read, and `history` what led to it; empty and none without Git."""

    head: str
    files: tuple[File, ...]
    refusals: tuple[Refusal, ...]
    history: History | None

    def since(self, commit: str) -> str:
        """The commit, if the head came from it; else empty: the history is new, or was rewritten."""
        return commit if commit and self.history and self.history.contains(commit) else ""

    def touched(self, after: str) -> set[str]:
        """The files that were written after a commit. Raises GitFailed."""
        if not after or self.history is None:
            return set()
        revisions = self.history.revisions((file.path for file in self.files), after)
        return {path for path, found in revisions.items() if found}

    def pasts(self, files: Iterable[File], after: str, most: int) -> dict[str, list[Content]]:
        """For each of the files, what it was, oldest first, and what it is: after a commit, or from the
        beginning. At most `most` of each. Raises GitFailed."""
        wanted = {file.path: file for file in files}
        revisions = self._revisions(wanted, after, most)
        blobs = [r.blob for found in revisions.values() for r in found]
        sizes = self.history.sizes(blobs) if self.history else {}
        if sum(sizes.values()) > BYTES:
            revisions = {path: found[-1:] for path, found in revisions.items()}
        small = {
            r.blob
            for found in revisions.values()
            for r in found
            if sizes.get(r.blob, LIMIT + 1) <= LIMIT
        }
        contents = self.history.contents(small) if self.history else {}
        return {
            path: self._past(file, revisions.get(path, []), contents)
            for path, file in wanted.items()
        }

    def _revisions(
        self, wanted: Mapping[str, File], after: str, most: int
    ) -> dict[str, list[Revision]]:
        if self.history is None or not wanted:
            return {}
        found = self.history.revisions(wanted, after)
        # Those that are as they were, but could not be taken before.
        if after and (old := [path for path, revisions in found.items() if not revisions]):
            found |= self.history.revisions(old, "")
        return {path: revisions[-most:] for path, revisions in found.items()}

    def _past(
        self, file: File, revisions: list[Revision], contents: Mapping[str, bytes]
    ) -> list[Content]:
        past = [
            Content(r.path, contents[r.blob], r.commit) for r in revisions if r.blob in contents
        ]
        if not file.committed:
            return [*past, Content(file.path, file.content, Commit())]
        if not past or past[-1].content != file.content:
            return [*past, Content(file.path, file.content, Commit(self.head))]
        return past


def read_commit(git: Git, head: str, folder: str, kept: Iterable[str]) -> Snapshot:
    """The files of a commit. `kept` are the paths that the catalog knows. Raises SourceUnreadable."""
    history = History(git, head, folder)
    try:
        entries = [e for e in history.entries() if _matters(e)]
    except (TooLarge, TookTooLong):
        raise
    except GitFailed:
        raise SourceUnreadable(
            f"The folder {folder} (CVDOPS_RUNBOOKS_FOLDER) is not in the repository at {head[:12]}."
        ) from None
    if len(entries) > FILES:
        raise SourceUnreadable(TOO_MANY)
    sizes = history.sizes(e.blob for e in entries if e.mode != SUBMODULE)
    refused = _refused(entries, sizes, kept)
    sound = [e for e in entries if e.path not in refused]
    if sum(sizes[e.blob] for e in sound) > BYTES:
        raise SourceUnreadable(TOO_MUCH)
    contents = history.contents(e.blob for e in sound)
    files, pointers = [], []
    for entry in sound:
        content = contents[entry.blob]
        if refusal := pointer(entry.path, content):
            pointers.append(refusal)
        else:
            files.append(File(entry.path, content, True))
    return Snapshot(head, tuple(files), (*refused.values(), *pointers), history)


def _matters(entry: Entry) -> bool:
    return entry.mode == SUBMODULE or names.is_document(entry.path)


def _refused(
    entries: Iterable[Entry], sizes: Mapping[str, int], kept: Iterable[str]
) -> dict[str, Refusal]:
    refused = refused_names((e.path for e in entries), kept)
    for entry in entries:
        if entry.path in refused:
            continue
        if why := _why_not(entry, sizes):
            refused[entry.path] = Refusal(names.shown(entry.path), *why)
    return refused


def _why_not(entry: Entry, sizes: Mapping[str, int]) -> tuple[str, str] | None:
    if entry.mode == SUBMODULE:
        return "It is a submodule, and nothing of other repositories is read.", ""
    if entry.mode == LINK:
        return "It is a symbolic link.", "Put the document itself there."
    if sizes.get(entry.blob, LIMIT + 1) > LIMIT:
        return "It is larger than 1 MB.", "Split it into several."
    return None


def refused_names(paths: Iterable[str], kept: Iterable[str]) -> dict[str, Refusal]:
    """The paths that no file may have, each with the reason."""
    found = {}
    paths = list(paths)
    for path in paths:
        if why := names.why_not(path):
            found[path] = Refusal(names.shown(path), why, "Rename it.")
    for path, other in names.twins((p for p in paths if p not in found), kept).items():
        why = f"Its name differs only in case from {names.shown(other)}."
        found[path] = Refusal(names.shown(path), why, "Rename one of them.")
    return found


def pointer(path: str, content: bytes) -> Refusal | None:
    """The refusal of a file whose content lies elsewhere, with Git LFS."""
    if not content.startswith(_POINTER):
        return None
    return Refusal(
        path, "It is kept with Git LFS, which is not asked.", "Commit the document itself."
    )
