"""What a commit of a Git repository holds and how it came to be. Only objects are read."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cvdops.catalog.git import Git, GitFailed

LINK, SUBMODULE = "120000", "160000"
_OBJECT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SPECIAL = re.compile(r"([*?\[\\])")
_FORMAT = "tformat:%H%x00%an%x00%ae%x00%cI"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the tree, with its path from the folder that is read."""

    path: str
    mode: str
    blob: str


@dataclass(frozen=True, slots=True)
class Commit:
    """Who changed something, and when. Empty for what is not committed."""

    id: str = ""
    author: str = ""
    author_email: str = ""
    committed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """What a commit made of a file, and the path that the file had then."""

    commit: Commit
    path: str
    blob: str


class History:
    """The folder of a repository at one commit."""

    def __init__(self, git: Git, head: str, folder: str) -> None:
        self._git = git
        self._head = head
        self._prefix = f"{folder}/" if folder else ""

    def entries(self) -> list[Entry]:
        """All files below the folder; raises GitFailed if it is not there."""
        place = f"{self._head}:{self._prefix.rstrip('/')}"
        listed = self._git.run("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", place)
        entries = []
        for line in filter(None, _text(listed).split("\0")):
            about, _, path = line.partition("\t")
            mode, _, blob = about.split(" ")
            entries.append(Entry(path, mode, blob))
        return entries

    def sizes(self, blobs: Iterable[str]) -> dict[str, int]:
        """How many bytes each has; those too large to be fetched are missing."""
        asked = "\n".join(dict.fromkeys(blobs)).encode()
        answer = self._git.run("cat-file", "--batch-check", given=asked + b"\n" if asked else b"")
        fields = (line.split() for line in answer.decode("ascii").splitlines())
        return {f[0]: int(f[2]) for f in fields if len(f) == 3 and f[1] == "blob"}

    def contents(self, blobs: Iterable[str]) -> dict[str, bytes]:
        """The bytes of each; all must be there and small."""
        asked = "\n".join(dict.fromkeys(blobs)).encode()
        answer = self._git.run("cat-file", "--batch", given=asked + b"\n" if asked else b"")
        found: dict[str, bytes] = {}
        position = 0
        while position < len(answer):
            end = answer.index(b"\n", position)
            blob, _, size = answer[position:end].decode("ascii").split(" ")
            found[blob] = answer[end + 1 : end + 1 + int(size)]
            position = end + 1 + int(size) + 1
        return found

    def contains(self, commit: str) -> bool:
        """Whether this commit is the head or one before it."""
        if not _OBJECT.fullmatch(commit):
            return False
        try:
            self._git.run("merge-base", "--is-ancestor", "--end-of-options", commit, self._head)
        except GitFailed:
            return False
        return True

    def revisions(self, paths: Iterable[str], after: str) -> dict[str, list[Revision]]:
        """For each of these files of the head its revisions, oldest first: those after a commit, or all.

        Renames without a change are followed.
        """
        now = dict.fromkeys(paths, "")
        found: dict[str, list[Revision]] = {path: [] for path in now}
        names = {path: path for path in found}  # as it was called then → as it is called now
        for commit, changes in self._log(after):
            renamed: dict[str, str] = {}
            for blob, before, path in changes:
                if (current := names.get(path)) is None:
                    continue
                found[current].append(Revision(commit, path, blob))
                if before != path:
                    renamed[before] = names.pop(path)
            names |= renamed
        return {path: revisions[::-1] for path, revisions in found.items()}

    def _log(self, after: str) -> Iterator[tuple[Commit, list[tuple[str, str, str]]]]:
        """The commits, newest first, with the blob, the old path and the path of what each wrote."""
        literal = _SPECIAL.sub(r"\\\1", self._prefix)
        answer = self._git.run(
            *["log", "-z", "--raw", "--no-abbrev", "-M100%", "--diff-merges=first-parent"],
            *["--topo-order", f"--format={_FORMAT}", "--end-of-options", self._head],
            *([f"^{after}"] if after else []),
            *["--", f":(top,glob,icase){literal}**/*.md"],
        )
        tokens = _text(answer).split("\0")
        position = 0
        while position + 3 < len(tokens):
            commit = _commit(tokens[position : position + 4])
            position += 4
            changes = []
            while position < len(tokens) and tokens[position].lstrip("\n").startswith(":"):
                _, _, _, blob, status = tokens[position].lstrip("\n").split(" ")
                moved = status[0] in "RC"
                before, path = tokens[position + 1], tokens[position + 1 + moved]
                position += 2 + moved
                if set(blob) != {"0"} and path.startswith(self._prefix):
                    changes.append((blob, before.removeprefix(self._prefix), self._within(path)))
            yield commit, changes

    def _within(self, path: str) -> str:
        return path.removeprefix(self._prefix)


def _commit(fields: Sequence[str]) -> Commit:
    head, author, email, when = fields
    if not _OBJECT.fullmatch(head.lstrip("\n")):
        raise GitFailed("The history of the repository could not be understood.")
    try:
        committed_at = datetime.fromisoformat(when)
    except ValueError:  # a year or a time zone that does not exist
        committed_at = None
    return Commit(head.lstrip("\n"), _line(author, 200), _line(email, 254), committed_at)


def _line(text: str, most: int) -> str:
    return "".join(c for c in text if c.isprintable())[:most]


def _text(answer: bytes) -> str:
    return answer.decode("utf-8", "replace")
