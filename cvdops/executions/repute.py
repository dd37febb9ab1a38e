"""What is known of a version beside its text: who reviewed it and how it ran; one query for all of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, Count, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Coalesce, JSONObject, NullIf

from cvdops.access.policy import sight
from cvdops.accounts.models import User
from cvdops.catalog.models import RunbookVersion, VersionReview
from cvdops.executions.models import StepRun
from cvdops.executions.outcome import DIFFERS
from cvdops.executions.queries import newest_of
from cvdops.executions.states import TERMINAL, ExecutionState
from cvdops.lib.together import Read


@dataclass(frozen=True, slots=True)
class Review:
    name: str
    person: UUID
    comment: str
    reviewed_at: datetime


@dataclass(frozen=True, slots=True)
class Latest:
    """The execution of this version that ended last, and what came of the document's promises in it."""

    pk: UUID
    number: int
    kept: int
    broken: int


@dataclass(frozen=True, slots=True)
class Known:
    version: RunbookVersion
    reviews: tuple[Review, ...]
    latest: Latest | None
    tested_at: datetime | None  # its last success where it is to be tested


def known(user: User, which: Q) -> list[Known]:
    """The versions that this is true of, with what this person may know of them."""
    return [_known(version) for version in versions(user, which)]


def _known(version: Any) -> Known:
    return Known(
        version=version,
        reviews=tuple(_review(found) for found in version.reviewers),
        latest=Latest(**{**version.latest, "pk": UUID(version.latest["pk"])})
        if version.latest
        else None,
        tested_at=version.tested_at,
    )


def _review(found: dict[str, str]) -> Review:
    at = datetime.fromisoformat(found["at"])
    return Review(found["name"], UUID(found["person"]), found["comment"], at)


@Read
def versions(user: User, which: Q) -> QuerySet[RunbookVersion]:
    """The same as it is stored."""
    reviews = VersionReview.objects.filter(version=OuterRef("pk")).order_by("reviewed_at")
    review = JSONObject(
        name="reviewer__name", person="reviewer__person", comment="comment", at="reviewed_at"
    )
    seen, category = sight(user), OuterRef("runbook__category")
    runs = newest_of(seen, category, version=OuterRef("pk"))
    latest = JSONObject(pk="pk", number="number", kept=_promises("kept"), broken=_promises(DIFFERS))
    tests = newest_of(seen, category, version=OuterRef("pk"), environment=OuterRef("tested_in"))
    success = tests.filter(state=ExecutionState.SUCCEEDED)
    found = RunbookVersion.objects.filter(which).defer("source")
    return found.annotate(
        tested_in=_tested_in(),
        reviewers=ArraySubquery(reviews.values_list(review)),
        latest=Subquery(runs.filter(state__in=TERMINAL).values_list(latest)[:1]),
        tested_at=Subquery(success.values("finished_at")[:1]),
    )


def _tested_in() -> Coalesce:
    """The same as `rules.history.where_tested`, asked in the database."""
    named = KeyTextTransform("environment", KeyTransform("tested", F("metadata")))
    text = CharField()
    return Coalesce(
        NullIf(named, Value(""), output_field=text), Value("staging"), output_field=text
    )


def _promises(verdict: str) -> Coalesce:
    """How many samples of the execution had this verdict."""
    steps = StepRun.objects.filter(Q(sample=verdict), execution=OuterRef("pk")).order_by()
    counted = steps.values("execution").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)
