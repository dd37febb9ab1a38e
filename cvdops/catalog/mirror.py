"""Keeps a bare copy of the repository of runbooks in the data folder. It may be deleted at any time."""

import fcntl
import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cvdops.catalog.git import Git, GitFailed, TookTooLong, TooLarge
from cvdops.catalog.origin import Origin
from cvdops.catalog.report import SourceUnreadable
from cvdops.catalog.snapshot import LIMIT
from cvdops.catalog.trouble import sentence

PACK = 512_000_000  # bytes that may come at once
PACKS = 100  # copied anew when there are more: what was pushed away goes with them
_REF = "refs/catalog/head"
_LOOK = 0.05  # seconds between two tries to get the lock

# A copy that lacks large objects cannot take a small one that comes as its difference from one of them,
# and one may be damaged: a new copy needs nothing from the old.
_OF_THE_COPY = re.compile(
    r"promisor|unresolved delta|corrupt|bad object|bad pack|loose object|unable to read"
    r"|not a git repository: |necessary objects"
)

# A repository on this machine leaves large objects out, too, and may belong to another account.
_SERVE = "git -c uploadpack.allowFilter=true -c 'safe.directory=*' -c core.hooksPath=/dev/null upload-pack"


def is_repository(path: Path) -> bool:
    """Whether a path is the top of a repository, bare or not, and no plain folder."""
    bare = (path / "HEAD").is_file() and (path / "objects").is_dir()
    return bare or (path / ".git").exists()


class Mirror:
    """The copy of one repository. `deadline` is a time of `time.monotonic()`."""

    def __init__(self, origin: Origin, folder: Path, deadline: float, ssh: tuple[str, ...]) -> None:
        self._origin = origin
        self._folder = folder
        self._deadline = deadline
        self._ssh = ssh
        name = hashlib.sha256(origin.location.encode()).hexdigest()[:16]
        self._directory = folder / f"{name}.git"
        self.git = Git(self._directory, deadline)

    def fetch(self) -> str:
        """Bring the copy up to date. Returns the commit; raises SourceUnreadable."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._lock() as held:
                self._prepare()
                try:
                    return self._fetch(held)
                except GitFailed as error:
                    if not _OF_THE_COPY.search(str(error)):
                        raise
                    self.forget()
                    self._prepare()
                    return self._fetch(held)
        except TookTooLong:
            raise
        except TooLarge:
            raise SourceUnreadable(
                f"The repository {self._origin.location} sends more than {PACK // 1_000_000} MB. "
                "Keep the runbooks in a repository of their own."
            ) from None
        except GitFailed as error:
            raise SourceUnreadable(sentence(str(error), self._origin)) from None
        except OSError as error:
            raise SourceUnreadable(
                f"The copy of the repository in {self._folder} cannot be written: {error.strerror}."
            ) from None

    def forget(self) -> None:
        """Delete the copy; the next fetch makes it anew."""
        shutil.rmtree(self._directory, ignore_errors=True)

    @contextmanager
    def _lock(self) -> Iterator[int]:
        """One git at a time works on the copies, also one whose parent was killed: it inherits the lock."""
        lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > self._deadline:
                        raise TookTooLong("Another one is at it.") from None
                    time.sleep(_LOOK)
            yield lock
        finally:
            os.close(lock)

    def _prepare(self) -> None:
        """Remove what a killed sync and other sources left, and make the copy if there is none."""
        for other in self._folder.glob("*.git"):
            if other != self._directory or len(list(other.glob("objects/pack/*.pack"))) > PACKS:
                shutil.rmtree(other)
        for pattern in ("*.lock", "refs/catalog/*.lock", "objects/pack/tmp_*"):
            for left in self._directory.glob(pattern):
                left.unlink()
        if self._directory.exists():
            return
        unfinished = self._folder / "new"
        shutil.rmtree(unfinished, ignore_errors=True)
        location = self._origin.location
        address = location if self._origin.scheme != "file" else str(Path(location).resolve())
        git = Git(unfinished, self._deadline)
        git.run("init", "--quiet", "--bare", "--template=", "--end-of-options", str(unfinished))
        git.run("config", "remote.origin.url", address)
        unfinished.rename(self._directory)

    def _fetch(self, held: int) -> str:
        scheme = self._origin.scheme
        source = f"refs/heads/{self._origin.branch}" if self._origin.branch else "HEAD"
        git = Git(self._directory, self._deadline, scheme, self._ssh, (held,))
        git.run(
            *["-c", "remote.origin.promisor=true"],
            *["-c", f"remote.origin.partialclonefilter=blob:limit={LIMIT + 1}"],
            *["fetch", "--quiet", "--force", "--no-tags", "--no-write-fetch-head"],
            *["--no-recurse-submodules", "--no-auto-maintenance", "--no-show-forced-updates"],
            *([f"--upload-pack={_SERVE}"] if scheme == "file" else []),
            *["--end-of-options", "origin", f"+{source}:{_REF}"],
            most=PACK,
        )
        found = self.git.run("rev-parse", "--verify", "--end-of-options", f"{_REF}^{{commit}}")
        return found.decode("ascii").strip()
