"""The catalog."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from ninja import Query, Router, Schema

from cvdops.access.catalog import get_runbook, visible_runbooks
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.asking import Listed, Text, first, one_of
from cvdops.catalog.models import Runbook, RunbookVersion
from cvdops.catalog.queries import document
from cvdops.executions.quality import Quality, of_newest
from cvdops.spec.document import Severity

router = Router(tags=["runbooks"])


class Version(Schema):
    number: int
    label: str
    commit: str
    author: str
    committed_at: datetime | None
    executable: bool

    @classmethod
    def of(cls, version: RunbookVersion) -> "Version":
        return cls(
            number=version.number,
            label=version.label,
            commit=version.commit,
            author=version.author,
            committed_at=version.committed_at,
            executable=version.executable,
        )


class QualityShape(Schema):
    errors: int
    warnings: int
    notes: int

    @classmethod
    def of(cls, quality: Quality) -> "QualityShape":
        return cls(
            errors=quality.count(Severity.ERROR),
            warnings=quality.count(Severity.WARNING),
            notes=quality.count(Severity.INFO),
        )


class RunbookItem(Schema):
    """A runbook. `current` is the newest version that can be executed; null: there is none."""

    id: str
    url: str
    title: str
    category: str
    group: str
    current: Version | None
    newest: Version | None
    quality: QualityShape | None
    removed_at: datetime | None


class Runbooks(Schema):
    items: list[RunbookItem]
    next_cursor: str


class ProcedureShape(Schema):
    key: str
    title: str
    steps: list[str]


class VariableShape(Schema):
    name: str
    type: str
    description: str
    default: str | None
    required: bool
    choices: list[str]
    secret: bool
    procedures: list[str]


class RunbookStep(Schema):
    id: str
    title: str
    kind: str
    section: str


class RunbookDetail(RunbookItem):
    """A runbook as its current version, or without one its newest version, has it."""

    procedures: list[ProcedureShape]
    variables: list[VariableShape]
    steps: list[RunbookStep]


class Wanted(Listed):
    category: Text = ""
    group: Text = ""


@router.get("/runbooks", response=Runbooks, url_name="api-runbooks")
@requires(Action.USE_PORTAL)
def runbooks(request: HttpRequest, wanted: Query[Wanted]) -> Runbooks:
    """The runbooks that you may see, by their ids."""
    visible = visible_runbooks(person(request))
    found = visible.order_by("pk")
    if wanted.cursor:
        found = found.filter(pk__gt=one_of(visible, wanted.cursor))
    if wanted.category:
        found = found.filter(category=wanted.category)
    if wanted.group:
        found = found.filter(group=wanted.group)
    page, following = first(found)
    known = of_newest(person(request), page)
    items = [RunbookItem(**_facts(one, known)) for one in page]
    return Runbooks(items=items, next_cursor=following)


@router.get("/runbooks/{runbook_id}", response=RunbookDetail, url_name="api-runbook")
@requires(Action.READ_RUNBOOK)
def runbook(request: HttpRequest, runbook_id: str) -> RunbookDetail:
    """One of them."""
    found = get_runbook(person(request), runbook_id)
    version = found.current or found.newest
    read = document(version) if version else None
    return RunbookDetail(
        **_facts(found, of_newest(person(request), [found])),
        procedures=[
            ProcedureShape(key=p.key, title=p.title, steps=list(p.steps))
            for p in (read.procedures if read else ())
        ],
        variables=[
            VariableShape(
                name=v.name,
                type=v.type,
                description=v.description,
                default=None if v.secret else v.default,
                required=v.required,
                choices=list(v.choices),
                secret=v.secret,
                procedures=list(v.procedures),
            )
            for v in (read.variables if read else ())
        ],
        steps=[
            RunbookStep(id=s.id, title=s.title, kind=s.kind, section=s.section)
            for s in (read.steps if read else ())
        ],
    )


def _facts(found: Runbook, known: Mapping[str, Quality]) -> dict[str, Any]:
    return {
        "id": found.pk,
        "url": reverse("runbook", args=[found.pk]),
        "title": found.title,
        "category": found.category,
        "group": found.group,
        "current": Version.of(found.current) if found.current else None,
        "newest": Version.of(found.newest) if found.newest else None,
        "quality": QualityShape.of(known[found.pk]) if found.pk in known else None,
        "removed_at": found.removed_at,
    }
