"""What the mission measures."""

from datetime import date, timedelta

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.asking import Asked
from cvdops.executions.metrics import SUCCESS_TARGET, Figures
from cvdops.executions.metrics import metrics as figures

router = Router(tags=["metrics"])


class FiguresShape(Schema):
    """Of one runbook."""

    runbook: str
    finished: int
    succeeded: int
    median_seconds: float | None
    slow_seconds: float | None
    updated_on: date | None
    review_due_on: date | None

    @classmethod
    def of(cls, row: Figures) -> "FiguresShape":
        return cls(
            runbook=row.runbook.pk,
            finished=row.finished,
            succeeded=row.succeeded,
            median_seconds=_seconds(row.median),
            slow_seconds=_seconds(row.slow),
            updated_on=row.fresh.updated,
            review_due_on=row.fresh.due,
        )


class MetricsShape(Schema):
    """Of what was started in these days and you may see."""

    days: int
    finished: int
    succeeded: int
    success_target: int
    recoveries: int
    not_recovered: int
    recovery_mean_seconds: float | None
    updated_lately: int
    runbooks: list[FiguresShape]


class Wanted(Asked):
    days: int = Field(30, ge=1, le=365)


@router.get("/metrics", response=MetricsShape, url_name="api-metrics")
@requires(Action.USE_PORTAL)
def metrics(request: HttpRequest, wanted: Query[Wanted]) -> MetricsShape:
    """Success, time to complete, time to recovery, and how fresh the documents are."""
    found = figures(person(request), wanted.days)
    return MetricsShape(
        days=found.days,
        finished=found.finished,
        succeeded=found.succeeded,
        success_target=SUCCESS_TARGET,
        recoveries=len(found.recoveries.times),
        not_recovered=found.recoveries.others,
        recovery_mean_seconds=_seconds(found.recoveries.mean),
        updated_lately=found.fresh,
        runbooks=[FiguresShape.of(row) for row in found.rows],
    )


def _seconds(time: timedelta | None) -> float | None:
    return round(time.total_seconds(), 1) if time is not None else None
