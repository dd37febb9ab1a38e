"""The quality of a version: what the rules, its history and the other runbooks say against it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property, lru_cache

from django.db.models import Q

from cvdops.access.policy import readable_categories
from cvdops.accounts.models import User
from cvdops.catalog.models import Runbook, RunbookVersion
from cvdops.catalog.queries import document, why_unread
from cvdops.executions.repute import Known, Latest, known
from cvdops.spec.children import cycles, missing
from cvdops.spec.document import Diagnostic, Severity
from cvdops.spec.document import Runbook as Document
from cvdops.spec.lint import lint
from cvdops.spec.rules.history import Facts, history, where_tested

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

    def count(self, severity: Severity) -> int:
        return sum(group.count for group in self.groups if group.severity is severity)


def quality(user: User, about: Known) -> Quality:
    """What is to be said of a version today."""
    return qualities(user, [about])[0]


def of_newest(user: User, runbooks: Iterable[Runbook]) -> dict[str, Quality]:
    """The same of the newest version of each of these, by their ids."""
    found = known(user, Q(pk__in=[r.newest_id for r in runbooks if r.newest_id]))
    names = [about.version.runbook_id for about in found]
    return dict(zip(names, qualities(user, found), strict=True))


def qualities(user: User, versions: Sequence[Known]) -> list[Quality]:
    """The same of several, in their order."""
    today, others = datetime.now(UTC).date(), _Others(user)
    return [_quality(one, others, today) for one in versions]


def _quality(about: Known, others: "_Others", today: date) -> Quality:
    version, latest = about.version, about.latest
    facts = Facts(
        author=version.author,
        reviewed_by=[str(review.person) for review in about.reviews],
        executed_in=where_tested(version.metadata),
        executed_at=about.tested_at.date() if about.tested_at else None,
        promises_kept=latest.kept if latest else 0,
        promises_broken=latest.broken if latest else 0,
    )
    said = _said(version, today)
    found = [*said.diagnostics, *history(version.metadata, facts, today)]
    if said.children:
        found += others.about_children(version)
    return Quality(grouped(found), facts.executed_in, about.tested_at, latest)


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
    """What the rules say of the document."""
    return _said(version, today).diagnostics


@dataclass(frozen=True, slots=True)
class _Said:
    diagnostics: tuple[Diagnostic, ...]
    children: bool  # whether it starts other runbooks


def _said(version: RunbookVersion, today: date) -> _Said:
    if why_unread(version):
        return _Said(document(version).diagnostics, children=False)
    return _linted(version.pk, version.runbook_id, today)


@lru_cache(maxsize=1024)  # a whole catalog, which a list asks about at once
def _linted(version_id: int, _name: str, today: date) -> _Said:
    """A version never changes, so the rules are asked once a day."""
    version = RunbookVersion.objects.get(pk=version_id)
    doc = document(version)
    return _Said(lint(doc, version.source, today), any(step.child for step in doc.steps))


class _Others:
    """The other runbooks, as the catalog is now; they are read when one of them is asked about."""

    def __init__(self, user: User) -> None:
        self._user = user

    @cached_property
    def _known(self) -> dict[str, Runbook]:
        runbooks = Runbook.objects.filter(removed_at__isnull=True, current__isnull=False)
        return {r.pk: r for r in runbooks.select_related("current").defer("current__source")}

    def about_children(self, version: RunbookVersion) -> list[Diagnostic]:
        """Child runbooks that do not exist, and circles of them."""
        documents, all_visible = self._family(version.runbook_id, document(version))
        found = [
            *missing(documents).get(version.runbook_id, ()),
            *cycles(documents).get(version.runbook_id, ()),
        ]
        # A hint names what else there is: not to somebody from whom some of it is hidden.
        return found if all_visible else [replace(d, hint="") for d in found]

    def _family(self, runbook_id: str, doc: Document) -> tuple[dict[str, Document], bool]:
        """This document and all that it leads to, by id; and whether the person may see all of them."""
        visible = readable_categories(self._user)
        family, waiting, all_visible = {runbook_id: doc}, [doc], True
        while waiting:
            for step in waiting.pop().steps:
                child = self._known.get(step.child.runbook) if step.child else None
                if child is None or child.pk in family or child.current is None:
                    continue
                family[child.pk] = document(child.current)
                waiting.append(family[child.pk])
                all_visible = all_visible and child.category in visible
        return family, all_visible
