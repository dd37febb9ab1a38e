"""Home: what runs, what waits for me, what is due."""

from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from cvdops.access.levels import Level
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, Sight, readable_categories, sight
from cvdops.catalog.freshness import freshness
from cvdops.catalog.models import Group
from cvdops.catalog.queries import document
from cvdops.changes import queries as changes
from cvdops.changes import telling
from cvdops.changes.services import waiting_for
from cvdops.executions import emergencies
from cvdops.executions.asking import asked
from cvdops.executions.glance import told
from cvdops.executions.queries import visible
from cvdops.executions.reminders import subject_of
from cvdops.executions.states import ACTIVE
from cvdops.lib.together import Fixed, ahead
from cvdops.spec.document import Procedure
from cvdops.web import duties, periods, summaries, upkeep
from cvdops.web.changes import Shown
from cvdops.web.context import portal_of
from cvdops.web.periods import standings
from cvdops.web.summaries import CatalogRow, catalog_rows, success_rate, with_progress

SHOWN = 20


@requires(Action.USE_PORTAL)
def home(request: HttpRequest) -> HttpResponse:
    user = person(request)
    seen = sight(user)
    ahead(
        told.of(user),
        summaries.runbooks.of(readable_categories(user), seen),
        summaries.ended.of(seen, "", summaries.lately()),
        active.of(seen),
        duties.unclosed.of(user.pk, seen),
        changes.newest.of(is_open=True),
        emergencies.due.of(user.person, seen),
        emergencies.lately.of(seen),
        periods.everywhere.of(),
        periods.every.of(),
        *upkeep.reads(user),
    )
    rows = catalog_rows(user)
    running = with_progress(active(seen))
    mine = duties.to_go_on(user, running)
    to_close = duties.to_close(user)
    to_supervise = duties.to_supervise(user, running)
    proposals = [Shown(change) for change in waiting_for(user)]
    to_review = emergencies.to_review(user)
    kept = upkeep.upkeep(user)
    portal = portal_of(request)
    stands_there = {
        *(subject_of(asked_for) for asked_for in portal.inbox),
        *(telling.subject_of(shown.change) for shown in proposals),
        *(f"supervise:{row.execution.pk}" for row in to_supervise),
    }
    context = {
        "to_decide": asked(portal.inbox),
        # what waits for this person stands in its own card, once
        "news": [notice for notice in portal.unread if notice.subject not in stands_there],
        "running": running,
        "mine": mine,
        "to_close": to_close,
        "to_supervise": to_supervise,
        "proposals": proposals,
        "environments": sorted({r.execution.environment_id for r in running}),
        "waiting_for_me": sum(
            len(part) for part in (portal.inbox, mine, to_close, to_supervise, proposals, to_review)
        )
        + kept.count,
        "rows": rows,
        "may_run": any(row.level >= Level.EXECUTE for row in rows),
        "due": _due(rows),
        "rate": success_rate(user),
        "emergency": _emergency(rows),
        "calendars": standings(),
        "emergencies": emergencies.count(user),
        "to_review": to_review,
        "upkeep": kept,
    }
    template = "home.html#now" if request.headers.get("HX-Request") else "home.html"
    return render(request, template, context)


@Fixed
def active(sight: Sight) -> QuerySet[Any]:
    """The newest of what goes on or waits, as far as somebody sees it."""
    found = visible(sight).filter(state__in=ACTIVE)
    as_emergency = KeyTransform("emergency", "plan")
    return found.annotate(as_emergency=as_emergency, now=Now())[:SHOWN]


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
