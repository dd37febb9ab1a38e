"""Home: what runs, what waits for me, what is due."""

from django.db.models import Count, F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from cvdops.access.levels import Level
from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.catalog.models import Group
from cvdops.catalog.queries import document
from cvdops.executions import emergencies
from cvdops.executions.checklists import MONITORING
from cvdops.executions.models import ChecklistMark, Execution
from cvdops.executions.queries import visible_to
from cvdops.executions.states import ACTIVE, ExecutionState
from cvdops.spec.document import Procedure
from cvdops.web.access import person, requires
from cvdops.web.context import portal_of
from cvdops.web.freshness import freshness
from cvdops.web.periods import standings
from cvdops.web.summaries import CatalogRow, catalog_rows, success_rate, with_progress

SHOWN = 20
STANDING = (ExecutionState.WAITING, ExecutionState.PAUSED)
BY_APPROVAL = "approval"


@requires(Action.USE_PORTAL)
def home(request: HttpRequest) -> HttpResponse:
    user = person(request)
    executions = visible_to(user)
    rows = catalog_rows(user)
    running = with_progress(executions.filter(state__in=ACTIVE)[:SHOWN])
    mine = [r for r in running if _needs(user, r.execution)]
    to_close = _to_close(user)
    context = {
        "running": running,
        "mine": mine,
        "to_close": to_close,
        "environments": sorted({r.execution.environment_id for r in running}),
        "waiting_for_me": len(portal_of(request).inbox) + len(mine) + len(to_close),
        "rows": rows,
        "may_run": any(row.level >= Level.EXECUTE for row in rows),
        "due": _due(rows),
        "rate": success_rate(executions),
        "emergency": _emergency(rows),
        "calendars": standings(),
        "emergencies": emergencies.count(),
        "to_review": list(emergencies.to_review(user)[:SHOWN]),
    }
    template = "home.html#now" if request.headers.get("HX-Request") else "home.html"
    return render(request, template, context)


def _needs(user: User, execution: Execution) -> bool:
    """It stands still for its owner: a step failed, something is to be done or confirmed."""
    return (
        execution.state in STANDING
        and execution.requested_by_id == user.pk
        and execution.waiting_for.get("code") != BY_APPROVAL
    )


def _to_close(user: User) -> list[Execution]:
    """What this person ran and has to close, with the number of items left; the oldest first.

    What the portal itself is still watching is no item for people yet.
    """
    left = Q(checklist__moment=ChecklistMark.Moment.AFTER, checklist__confirmed_at=None)
    watched = Q(closing__watched_until__isnull=False, closing__health="")
    for_people = left & ~(watched & Q(checklist__position=MONITORING))
    mine = visible_to(user).filter(
        requested_by=user, closing__closed_at=None, closing__ended_at=F("finished_at")
    )
    found = mine.annotate(left=Count("checklist", filter=for_people)).filter(left__gt=0)
    return list(found.select_related("closing").order_by("id")[:SHOWN])


def _due(rows: list[CatalogRow]) -> list[CatalogRow]:
    today = timezone.now().date()
    return [
        row
        for row in rows
        if row.runbook.newest is not None
        and freshness(row.runbook.newest.metadata, row.runbook.category, today).tone
        in ("wait", "bad")
    ]


def _emergency(rows: list[CatalogRow]) -> list[tuple[CatalogRow, tuple[Procedure, ...]]]:
    """The procedures one press away for those who may execute them."""
    return [
        (row, document(row.runbook.current).procedures)
        for row in rows
        if row.runbook.group == Group.EMERGENCY
        and row.level >= Level.EXECUTE
        and row.runbook.current is not None
    ]
