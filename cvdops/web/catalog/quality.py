"""The quality of a version: what the rules, its history and the other runbooks say against it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache

from cvdops.access.policy import readable_categories
from cvdops.accounts.models import User
from cvdops.catalog.models import Runbook, RunbookVersion
from cvdops.catalog.queries import document, why_unread
from cvdops.spec.children import cycles, missing
from cvdops.spec.document import Diagnostic, Severity
from cvdops.spec.document import Runbook as Document
from cvdops.spec.lint import lint
from cvdops.spec.rules.history import Facts, history, where_tested
from cvdops.web.catalog.facts import Known, Latest

_TITLES = {Severity.ERROR: "Errors", Severity.WARNING: "Warnings", Severity.INFO: "Notes"}
_MOST = 200  # findings of a severity on a page


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one severity, by line; `count` of them, of which the first are here."""

    severity: Severity
    title: str
    count: int
    findings: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Quality:
    groups: tuple[Group, ...]
    tested_in: str
    tested_at: datetime | None
    latest: Latest | None

    @property
    def count(self) -> int:
        return sum(group.count for group in self.groups)


def quality(user: User, known: Known) -> Quality:
    """What is to be said of a version today."""
    version, latest = known.version, known.latest
    today = datetime.now(UTC).date()
    doc = document(version)
    facts = Facts(
        author=version.author,
        reviewed_by=[str(review.person) for review in known.reviews],
        executed_in=where_tested(doc),
        executed_at=known.tested_at.date() if known.tested_at else None,
        promises_kept=latest.kept if latest else 0,
        promises_broken=latest.broken if latest else 0,
    )
    found = [*found_in(version, today), *history(doc, facts, today)]
    found += _about_children(user, version, doc)
    return Quality(grouped(found), facts.executed_in, known.tested_at, latest)


def grouped(found: Sequence[Diagnostic]) -> tuple[Group, ...]:
    """The findings by severity, the gravest first."""
    ordered = sorted(found, key=lambda d: (d.line, d.code))
    groups = []
    for severity, title in _TITLES.items():
        own = tuple(d for d in ordered if d.severity is severity)
        if own:
            groups.append(Group(severity, title, len(own), own[:_MOST]))
    return tuple(groups)


def found_in(version: RunbookVersion, today: date) -> tuple[Diagnostic, ...]:
    """What the rules say of the document; a version never changes, so they are asked once a day."""
    if why_unread(version):
        return document(version).diagnostics
    return _found(version.pk, version.runbook_id, today)


@lru_cache(maxsize=128)
def _found(version_id: int, _name: str, today: date) -> tuple[Diagnostic, ...]:
    version = RunbookVersion.objects.get(pk=version_id)
    return lint(document(version), version.source, today)


def _about_children(user: User, version: RunbookVersion, doc: Document) -> list[Diagnostic]:
    """Child runbooks that do not exist, and circles of them, as the catalog is now."""
    if not any(step.child for step in doc.steps):
        return []
    documents, all_visible = _family(user, version.runbook_id, doc)
    found = [
        *missing(documents).get(version.runbook_id, ()),
        *cycles(documents).get(version.runbook_id, ()),
    ]
    # A hint names what else there is: not to somebody from whom some of it is hidden.
    return found if all_visible else [replace(d, hint="") for d in found]


def _family(user: User, runbook_id: str, doc: Document) -> tuple[dict[str, Document], bool]:
    """This document and all that it leads to, by id; and whether the person may see all of them."""
    runbooks = Runbook.objects.filter(removed_at__isnull=True, current__isnull=False)
    known = {r.pk: r for r in runbooks.select_related("current").defer("current__source")}
    visible = readable_categories(user)
    family, waiting, all_visible = {runbook_id: doc}, [doc], True
    while waiting:
        for step in waiting.pop().steps:
            child = known.get(step.child.runbook) if step.child else None
            if child is None or child.pk in family or child.current is None:
                continue
            family[child.pk] = document(child.current)
            waiting.append(family[child.pk])
            all_visible = all_visible and child.category in visible
    return family, all_visible
