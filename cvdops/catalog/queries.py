"""Reading the catalog."""

from collections.abc import Collection, Iterable
from functools import lru_cache

from django.db.models import QuerySet

from cvdops.catalog.models import CatalogSource, Runbook, RunbookVersion
from cvdops.lib.errors import NotFound
from cvdops.lib.together import Fixed
from cvdops.spec.document import Runbook as Document
from cvdops.spec.parser import parse
from cvdops.spec.study import UNREAD, unread


def document(version: RunbookVersion) -> Document:
    """The version's parsed document. A version never changes, so it is parsed once per process.

    It was read by a process with limits before it was stored; one that asked too much is not read again.
    """
    why = why_unread(version)
    return (
        unread(version.runbook_id, why).runbook if why else _parsed(version.pk, version.runbook_id)
    )


def why_unread(version: RunbookVersion) -> str:
    """Why nothing of the version can be shown or run, where reading it took too much; else empty."""
    found = (d["message"] for d in version.diagnostics if d["code"] == UNREAD)
    return str(next(found, ""))


@lru_cache(maxsize=128)
def _parsed(version_id: int, name: str) -> Document:
    source = RunbookVersion.objects.values_list("source", flat=True).get(pk=version_id)
    return parse(source, name=name)


def runbooks(categories: Iterable[str]) -> QuerySet[Runbook]:
    """The runbooks of these categories that are still in the source."""
    return _light(Runbook.objects.filter(category__in=categories, removed_at__isnull=True))


def _light(found: QuerySet[Runbook]) -> QuerySet[Runbook]:
    # The documents are long and no list shows them.
    return found.select_related("current", "newest").defer("current__source", "newest__source")


def runbook(runbook_id: str, categories: Collection[str]) -> Runbook:
    """One of these categories, also one that is gone from the source: its history can be read.

    Raises NotFound.
    """
    for found in named(runbook_id):
        if found.category in categories:
            return found
    raise NotFound("runbook")


@Fixed
def named(runbook_id: str) -> QuerySet[Runbook]:
    """The one of this name, if there is one, for whomever it exists."""
    return _light(Runbook.objects.filter(pk=runbook_id))


def source() -> CatalogSource | None:
    """Where the runbooks come from and how the last look ended; None before the first."""
    return CatalogSource.objects.first()
