"""The versions of runbooks, reviewing them, reading the source anew, and trying a document out."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from django.db.models import Prefetch
from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from cvdops.access.catalog import get_runbook, read_anew, told
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, Matter, can
from cvdops.api.asking import Asked, Flag, Listed, Text, first, number
from cvdops.api.runbooks import Version
from cvdops.catalog import confined, reviews
from cvdops.catalog.models import RunbookVersion, VersionReview
from cvdops.executions import helping
from cvdops.lib.errors import Invalid, NotFound, Problem
from cvdops.spec.parser import MAX_BYTES

router = Router(tags=["runbooks"])


class Review(Schema):
    """Somebody other than its author has read a version and found it right."""

    reviewer: str
    reviewed_at: datetime
    comment: str

    @classmethod
    def of(cls, review: VersionReview) -> "Review":
        return cls(
            reviewer=review.reviewer.username,
            reviewed_at=review.reviewed_at,
            comment=review.comment,
        )


class VersionItem(Version):
    reviews: list[Review]


class Versions(Schema):
    items: list[VersionItem]
    next_cursor: str


class Reviewed(Asked):
    comment: Annotated[Text, Field(max_length=reviews.LONGEST_COMMENT)] = ""


class FileShape(Schema):
    """What a sync did with a file: `added`, `updated`, `unchanged`, `removed`, `broken`, `refused` …"""

    path: str
    runbook: str
    action: str
    message: str


class Synced(Schema):
    files: list[FileShape]


class Document(Asked):
    """A runbook, as Markdown. `name` is that of its file, from which its id follows."""

    text: Annotated[Text, Field(min_length=1, max_length=MAX_BYTES)]
    name: Annotated[Text, Field(max_length=300)] = "runbook.md"
    annotate: Flag = False


class Finding(Schema):
    code: str
    severity: str
    line: int
    message: str
    hint: str


class Linted(Schema):
    """How a document would be understood. With no finding of severity `error` it can be executed."""

    id: str
    title: str
    executable: bool
    procedures: list[str]
    findings: list[Finding]
    annotated: str


class Plea(Asked):
    environment: Text
    note: Annotated[Text, Field(min_length=1, max_length=helping.MAX_NOTE)]


class Asking(Schema):
    """Who was asked: they see it in their notices."""

    asked: list[str]


@router.get("/runbooks/{runbook_id}/versions", response=Versions, url_name="api-versions")
@requires(Action.READ_RUNBOOK)
def versions(request: HttpRequest, runbook_id: str, wanted: Query[Listed]) -> Versions:
    """Every version that there ever was, newest first, with who reviewed it."""
    runbook = get_runbook(person(request), runbook_id)
    reviewed = Prefetch("reviews", VersionReview.objects.select_related("reviewer"))
    found = runbook.versions.defer("source", "metadata", "diagnostics").order_by("-number")
    found = found.prefetch_related(reviewed)
    if wanted.cursor:
        found = found.filter(number__lt=number(wanted.cursor))
    page, following = first(found, "number")
    items = [version_item(one, one.reviews.all()) for one in page]
    return Versions(items=items, next_cursor=following)


@router.post(
    "/runbooks/{runbook_id}/versions/{int:number}/review",
    response={201: VersionItem},
    url_name="api-review",
)
@requires(Action.REVIEW_RUNBOOK, "POST")
def review(
    request: HttpRequest, runbook_id: str, number: int, reviewed: Reviewed
) -> Status[VersionItem]:
    """Record that you have read this version and found it right."""
    user = person(request)
    runbook = get_runbook(user, runbook_id)
    version = runbook.versions.filter(number=number).first()
    if version is None:
        raise NotFound("version")
    can(user, Action.REVIEW_RUNBOOK, Matter(runbook.category)).enforce()
    reviews.review(user, version, reviewed.comment)
    return Status(201, version_item(version, version.reviews.all()))


@router.post("/runbooks/{runbook_id}/help", response=Asking, url_name="api-ask-for-help")
@requires(Action.NOTE, "POST")
def ask(request: HttpRequest, runbook_id: str, plea: Plea) -> Asking:
    """Ask those who may start this runbook there, once an hour."""
    asked = helping.ask_for_help(person(request), runbook_id, plea.environment, plea.note)
    return Asking(asked=[user.username for user in asked])


@router.post("/catalog/sync", response=Synced, url_name="api-sync")
@requires(Action.SYNC_CATALOG, "POST")
def sync(request: HttpRequest) -> Synced:
    """Read the source of the runbooks anew, and say what became of each file."""
    user = person(request)
    files = [
        FileShape(path=r.path, runbook=r.runbook_id, action=r.action, message=r.message)
        for r in told(user, read_anew(user))
    ]
    return Synced(files=files)


@router.post("/lint", response=Linted, url_name="api-lint")
@requires(Action.USE_PORTAL, "POST")
def lint(request: HttpRequest, document: Document) -> Linted:
    """How a document would be understood, and what is wrong with it. Nothing is kept."""
    content = document.text.encode()
    if len(content) > MAX_BYTES:
        text = f"A runbook has {MAX_BYTES // 1_000_000} MB at most. Split it into several."
        raise Invalid([Problem("text", text)])
    study = confined.read(content, document.name, annotated=document.annotate)
    return Linted(
        id=study.runbook.id,
        title=study.runbook.title,
        executable=study.runbook.executable,
        procedures=[procedure.key for procedure in study.runbook.procedures],
        findings=[
            Finding(code=d.code, severity=d.severity, line=d.line, message=d.message, hint=d.hint)
            for d in study.diagnostics
        ],
        annotated=study.annotated,
    )


def version_item(found: RunbookVersion, read: Iterable[VersionReview]) -> VersionItem:
    """A version with those who have reviewed it."""
    reviewed = [Review.of(one) for one in read]
    return VersionItem(**Version.of(found).model_dump(), reviews=reviewed)
