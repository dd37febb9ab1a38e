"""Finding the versions of a runbook by what stands in an address."""

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from cvdops.catalog.models import Runbook, RunbookVersion, VersionReview
from cvdops.lib.errors import NotFound


def version_of(runbook: Runbook, number: str | None) -> RunbookVersion:
    """The version with this number; without one the newest. Raises NotFound."""
    version = of(runbook).filter(wanted(runbook, number)).first()
    if version is None:
        raise NotFound("version")
    return version


def wanted(runbook: Runbook, number: str | None) -> Q:
    """The same as a condition of a query. Raises NotFound for what is no number."""
    if number is None:
        return Q(pk=runbook.newest_id)
    return Q(runbook=runbook.pk, number=number_in(number))


def of(runbook: Runbook) -> QuerySet[RunbookVersion]:
    """All versions, the newest first, without their long texts."""
    return runbook.versions.defer("source")


def for_a_list(runbook: Runbook) -> QuerySet[RunbookVersion]:
    """The same, each with whether it was `reviewed`."""
    reviewed = Exists(VersionReview.objects.filter(version=OuterRef("pk")))
    return _light(runbook).annotate(reviewed=reviewed)


def with_reviews(runbook: Runbook) -> QuerySet[RunbookVersion]:
    """The same, with who reviewed them."""
    reviews = VersionReview.objects.select_related("reviewer")
    return _light(runbook).prefetch_related(Prefetch("reviews", reviews))


def _light(runbook: Runbook) -> QuerySet[RunbookVersion]:
    return runbook.versions.defer("source", "metadata", "diagnostics")


def number_in(text: str) -> int:
    """The number of a version in an address. Raises NotFound if it is none."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise NotFound("version")
    return int(text)
