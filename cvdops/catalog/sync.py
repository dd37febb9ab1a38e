"""Bring the catalog up to its source: every content that a runbook ever had stays as a version."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Coalesce, Now

from cvdops.catalog import relations, versions
from cvdops.catalog.claims import additions, claims
from cvdops.catalog.confined import Reader
from cvdops.catalog.folder import read_folder
from cvdops.catalog.git import GitFailed, TookTooLong, TooLarge
from cvdops.catalog.mirror import Mirror, is_repository
from cvdops.catalog.models import CatalogSource, Runbook
from cvdops.catalog.origin import Origin
from cvdops.catalog.report import (
    FileAction,
    FileResult,
    SourceUnreadable,
    SyncReport,
    settled,
    to_json,
)
from cvdops.catalog.snapshot import Snapshot, read_commit
from cvdops.lib.errors import Conflict
from cvdops.lib.failpoints import failpoint
from cvdops.spec.document import Runbook as Document

__all__ = ["FileAction", "FileResult", "SourceUnreadable", "SyncReport", "sync"]

VERSIONS = 50  # of a runbook that are taken at once, the newest
AT_FIRST = 400  # of all runbooks together: each is read, and the time is short
_LOCK = 0x43564401  # advisory: one sync at a time, on whatever machine
_WAIT = 0.05  # seconds between two tries to get it


def sync(place: Origin | Path | None = None) -> SyncReport:
    """Read the source; by default that of the settings. Safe to run twice at once.

    Takes at most CVDOPS_RUNBOOKS_TIMEOUT seconds once it is its turn. Raises SourceUnreadable, and
    Conflict if its turn does not come.
    """
    place = place or settings.RUNBOOKS
    origin = Origin(str(place)) if isinstance(place, Path) else place
    with _alone(time.monotonic() + settings.RUNBOOKS_TIMEOUT):
        source = _source(origin)
        try:
            return _Look(origin, source).take()
        except SourceUnreadable as error:
            _note_problem(str(error))
            raise


@contextmanager
def _alone(deadline: float) -> Iterator[None]:
    """Held by the session, because reading must not keep a transaction open."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
            if cursor.fetchone()[0]:
                break
            if time.monotonic() > deadline:
                text = "Another sync is under way. Look at its result when it is done."
                raise Conflict(text, "A sync is under way")
            time.sleep(_WAIT)
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _source(origin: Origin) -> CatalogSource:
    """The row about the source. One about another source knows nothing of this one's history."""
    about = {"location": origin.location, "branch": origin.branch, "folder": origin.folder}
    source, _ = CatalogSource.objects.get_or_create(pk=1, defaults=about)
    if any(getattr(source, name) != value for name, value in about.items()):
        known_before: dict[str, object] = {"head": "", "report": [], "read_at": None}
        CatalogSource.objects.filter(pk=1).update(**about, **known_before)
        source.refresh_from_db()
    return source


def _note_problem(problem: str) -> None:
    CatalogSource.objects.filter(pk=1).update(
        problem=problem, problem_since=Coalesce("problem_since", Now()), looked_at=Now()
    )


class _Look:
    """One look at the source: read, decide, and only then write."""

    def __init__(self, origin: Origin, source: CatalogSource) -> None:
        self._origin = origin
        self._source = source
        self._deadline = time.monotonic() + settings.RUNBOOKS_TIMEOUT
        self._reader = Reader()
        self._mirror: Mirror | None = None

    def take(self) -> SyncReport:
        try:
            with self._reader:
                snapshot = self._read_source()
                if snapshot is None:
                    self._note_read({})
                    return SyncReport(settled(self._source.report), self._source.head)
                return self._apply(snapshot)
        except TookTooLong:
            raise SourceUnreadable(
                f"Reading {self._origin.location} took longer than {settings.RUNBOOKS_TIMEOUT} s and "
                "was ended; nothing was changed. Raise CVDOPS_RUNBOOKS_TIMEOUT if it is that large."
            ) from None
        except TooLarge:
            raise SourceUnreadable(
                f"{self._origin.location} holds too many files or too long a history: name with "
                "CVDOPS_RUNBOOKS_FOLDER the folder that holds the runbooks."
            ) from None
        except GitFailed as error:
            if self._mirror:
                self._mirror.forget()
            said = str(error).splitlines()[0].rstrip(".")
            raise SourceUnreadable(
                f"The objects of {self._origin.location} could not be read: {said}. "
                "They are copied anew at the next try."
            ) from None

    def _read_source(self) -> Snapshot | None:
        """What is there; None if it is what was there at the last look."""
        origin = self._origin
        kept = Runbook.objects.filter(removed_at__isnull=True).values_list("path", flat=True)
        path = Path(origin.location)
        if origin.scheme == "file" and not is_repository(path):
            if path.is_dir() and (origin.branch or origin.folder):
                raise SourceUnreadable(
                    f"There is no Git repository at {path}, and so no branch or folder of one: unset "
                    "CVDOPS_RUNBOOKS_BRANCH and CVDOPS_RUNBOOKS_FOLDER, or correct CVDOPS_RUNBOOKS."
                )
            return read_folder(path, self._deadline, list(kept))
        folder = settings.DATA_DIR / "catalog"
        self._mirror = mirror = Mirror(origin, folder, self._deadline, settings.RUNBOOKS_SSH)
        head = mirror.fetch()
        failpoint("sync.fetched")
        if head == self._source.head:
            return None
        return read_commit(mirror.git, head, origin.folder, list(kept))

    def _read(self, content: bytes, path: str) -> Document:
        if time.monotonic() > self._deadline:
            raise TookTooLong("The time was up.")
        return self._reader.read(content, path).runbook

    def _apply(self, snapshot: Snapshot) -> SyncReport:
        after = snapshot.since(self._source.head)
        found, refused = claims(snapshot.files, snapshot.touched(after), self._read)
        changed = [claim.file for claim in found if claim.document]
        most = max(1, min(VERSIONS, AT_FIRST // max(len(changed), 1)))
        pasts = snapshot.pasts(changed, after, most)
        added = {
            claim.runbook_id: additions(
                claim, pasts.get(claim.file.path, []), not after, self._read
            )
            for claim in found
        }
        failpoint("sync.read")
        with transaction.atomic():
            results = [versions.store(claim, added[claim.runbook_id]) for claim in found]
            results += refused
            results += [
                FileResult(r.path, "", FileAction.REFUSED, r.why, 0, r.hint)
                for r in snapshot.refusals
            ]
            results += versions.remove(
                (claim.runbook_id for claim in found),
                (r.path for r in results if r.action is FileAction.REFUSED),
            )
            report = self._conclude(results, snapshot.head)
            failpoint("sync.stored")
        return report

    def _conclude(self, results: list[FileResult], head: str) -> SyncReport:
        """Note what stands between runbooks, and what there is to report."""
        standing = settled(self._source.report)
        ordered = sorted(results, key=lambda r: r.path)
        if any(r.action is not FileAction.UNCHANGED and r not in standing for r in ordered):
            relations.note_obstacles()
        obstacles = dict(Runbook.objects.exclude(obstacles=[]).values_list("pk", "obstacles"))
        report = tuple(
            versions.broken(r, obstacles[r.runbook_id][0])
            if r.action is not FileAction.REFUSED and r.runbook_id in obstacles
            else r
            for r in ordered
        )
        changed: dict[str, object] = {}
        if head != self._source.head:
            changed["head"] = head
        if report != standing:
            changed["report"] = to_json(report)
        self._note_read(changed)
        return SyncReport(report, head)

    def _note_read(self, changed: dict[str, object]) -> None:
        CatalogSource.objects.filter(pk=1).update(
            looked_at=Now(), read_at=Now(), problem="", problem_since=None, **changed
        )
