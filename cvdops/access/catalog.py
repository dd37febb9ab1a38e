"""The catalog as one person sees it."""

from collections.abc import Sequence

from django.db.models import QuerySet

from cvdops.access.policy import UNCATEGORISED, Action, Matter, can, readable_categories
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.catalog import queries
from cvdops.catalog.models import CatalogSource, Runbook, RunbookVersion
from cvdops.catalog.report import FileAction, FileResult
from cvdops.catalog.sync import sync
from cvdops.environments.models import Environment
from cvdops.lib.errors import UserError
from cvdops.spec.metadata import critical


def visible_runbooks(user: User) -> QuerySet[Runbook]:
    """The runbooks that exist for this person."""
    return queries.runbooks(readable_categories(user))


def get_runbook(user: User, runbook_id: str) -> Runbook:
    """One of them. Raises NotFound: unknown and forbidden are the same."""
    return queries.runbook(runbook_id, readable_categories(user))


def matter(runbook: Runbook, version: RunbookVersion, environment: Environment) -> Matter:
    """What the policy has to know of this version of it being run there."""
    return Matter(
        runbook.category,
        environment.slug,
        protected=environment.protected,
        critical=critical(version.metadata),
    )


def source(user: User) -> CatalogSource | None:
    """Where the runbooks come from, with what the last sync did to those that exist for this person."""
    found = queries.source()
    if found is not None:
        known = _known(user)
        found.report = [r for r in found.report if known is None or r["runbook_id"] in known]
    return found


def read_anew(user: User) -> Sequence[FileResult]:
    """Bring the catalog up to its source: what became of every file.

    Raises Refused, SourceUnreadable, Conflict; the catalog is as it was then.
    """
    can(user, Action.SYNC_CATALOG).enforce()
    try:
        results = sync().results
    except UserError as error:
        record(user, Action.SYNC_CATALOG, "catalog", "", data={"problem": str(error)})
        raise
    changed = [f"{r.path}: {r.action}" for r in results if r.action is not FileAction.UNCHANGED]
    record(user, Action.SYNC_CATALOG, "catalog", "", data={"changed": changed})
    return results


def told(user: User, results: Sequence[FileResult]) -> list[FileResult]:
    """What a sync did, as this person may know it."""
    known = _known(user)
    return [result for result in results if known is None or result.runbook_id in known]


def _known(user: User) -> frozenset[str] | None:
    """The runbooks that exist for this person, also removed ones. None: whatever a file may hold."""
    categories = readable_categories(user)
    if UNCATEGORISED in categories:
        return None
    return frozenset(Runbook.objects.filter(category__in=categories).values_list("pk", flat=True))
