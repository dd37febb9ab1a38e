"""Reads the working files of a plain folder, with their history where the folder is under Git."""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from cvdops.catalog import names
from cvdops.catalog.git import Git, GitFailed
from cvdops.catalog.history import History
from cvdops.catalog.report import SourceUnreadable
from cvdops.catalog.snapshot import (
    BYTES,
    FILES,
    LIMIT,
    TOO_MANY,
    TOO_MUCH,
    File,
    Refusal,
    Snapshot,
    pointer,
    refused_names,
)

_ENTRIES = 50_000  # files and folders that are looked at


def read_folder(folder: Path, deadline: float, kept: Sequence[str]) -> Snapshot:
    """The files of the folder as they lie there; `kept` are the paths that the catalog knows.

    Raises SourceUnreadable.
    """
    try:
        found = list(_walk(folder))
    except OSError as error:
        raise SourceUnreadable(
            f"The folder of runbooks, {folder}, cannot be read: {error.strerror}."
        ) from None
    if not found and kept:
        raise SourceUnreadable(
            f"The folder of runbooks, {folder}, is empty, and was not before. Nothing was changed. "
            "Check that what belongs there is mounted."
        )
    if len(found) > FILES:
        raise SourceUnreadable(TOO_MANY)
    refused = refused_names((path for path, _ in found), kept)
    head, blobs, history = _history(folder, deadline)
    files, total = [], 0
    for path, entry in found:
        if path in refused:
            continue
        read = _read(path, entry)
        if isinstance(read, Refusal):
            refused[path] = read
            continue
        files.append(File(path, read, blobs.get(path, "") == _blob(read, len(head))))
        total += len(read)
        if total > BYTES:
            raise SourceUnreadable(TOO_MUCH)
    return Snapshot(head, tuple(files), tuple(refused.values()), history)


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    """The Markdown files, by path. Links to folders are not followed."""
    seen = 0
    for place, folders, files in os.walk(folder, onerror=_fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        seen += len(folders) + len(files)
        if seen > _ENTRIES:
            raise SourceUnreadable(
                f"The folder of runbooks, {folder}, holds more than {_ENTRIES:,} files. "
                "Name with CVDOPS_RUNBOOKS one that holds only runbooks."
            )
        for name in sorted(files):
            path = Path(place) / name
            shown = os.fsencode(path.relative_to(folder).as_posix()).decode("utf-8", "replace")
            if names.is_document(shown):
                yield shown, path


def _fail(error: OSError) -> None:
    raise error


def _read(path: str, file: Path) -> bytes | Refusal:
    """The bytes of a file, or why it is refused."""
    try:
        about = file.lstat()
        if not stat.S_ISREG(about.st_mode):
            link = stat.S_ISLNK(about.st_mode)
            why = "It is a symbolic link." if link else "It is no ordinary file."
            return Refusal(path, why, "Put the document itself there.")
        if about.st_size > LIMIT:
            return Refusal(path, "It is larger than 1 MB.", "Split it into several.")
        with file.open("rb") as opened:
            content = opened.read(LIMIT)
    except OSError as error:
        return Refusal(path, f"It cannot be read: {error.strerror}.")
    return pointer(path, content) or content


def _history(folder: Path, deadline: float) -> tuple[str, dict[str, str], History | None]:
    """The commit of the work tree around the folder, and what it holds there; empty without one."""
    git = Git(folder, deadline)
    try:
        answer = git.run_in(folder, "rev-parse", "--absolute-git-dir", "--show-prefix", "HEAD")
        directory, prefix, head = answer.decode().removesuffix("\n").split("\n")
        history = History(Git(Path(directory), deadline), head, prefix.rstrip("/"))
        return head, {entry.path: entry.blob for entry in history.entries()}, history
    except (
        GitFailed,
        ValueError,
        OSError,
    ):  # no work tree, no commit yet, or not one of its folders
        return "", {}, None


def _blob(content: bytes, length: int) -> str:
    """The id that Git gives to this content; `length` tells which of its hashes is in use."""
    data = b"blob %d\0" % len(content) + content
    if length == hashlib.sha256().digest_size * 2:
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
