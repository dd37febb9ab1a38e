"""A runbook: its document or its source, its quality, and where to go from there."""

from dataclasses import replace

from django.db.models import QuerySet, Value
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from cvdops.access.catalog import get_runbook
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, Decision, Matter, can, sight
from cvdops.accounts.models import User
from cvdops.approvals.gates import stuck_in
from cvdops.catalog.freshness import freshness
from cvdops.catalog.models import Runbook, RunbookVersion
from cvdops.catalog.queries import document
from cvdops.catalog.reviews import LONGEST_COMMENT, is_author
from cvdops.environments.models import Environment
from cvdops.executions import standstill
from cvdops.executions.models import Execution
from cvdops.executions.quality import found_in, quality
from cvdops.executions.queries import for_lists, newest_of
from cvdops.executions.repute import known
from cvdops.lib.errors import NotFound
from cvdops.lib.together import together
from cvdops.spec.metadata import critical
from cvdops.spec.plan import steps_of
from cvdops.web.catalog import documents
from cvdops.web.catalog.versions import for_a_list, version_of, wanted
from cvdops.web.live.waiting import briefs
from cvdops.web.summaries import success_rate

LAST = 8
VERSIONS = 6


@requires(Action.READ_RUNBOOK)
def runbook(request: HttpRequest, runbook_id: str) -> HttpResponse:
    user = person(request)
    found = get_runbook(user, runbook_id)
    number = request.GET.get("version")
    if request.GET.get("view") == "source":
        return _source(request, found, version_of(found, number))
    about = next(iter(known(user, wanted(found, number))), None)
    if about is None:
        raise NotFound("version")
    version = about.version
    doc = document(version)
    executions, versions = together(last(user, found), for_a_list(found)[:VERSIONS])
    waits = briefs(executions)
    context = {
        "runbook": found,
        "version": version,
        "document": doc,
        "html": documents.rendered(version),
        "procedures": [(p, steps_of(doc, p.key)) for p in doc.procedures],
        "versions": versions,
        "executions": [(e, standstill.look(e), waits[e.pk].text) for e in executions],
        "rate": success_rate(user, found.pk),
        "fresh": freshness(version.metadata, found.category, timezone.now().date()),
        "start": may_start(user, found),
        "quality": quality(user, about),
        "stuck_gates": stuck_in(found, version),
        "reviews": about.reviews,
        "reviewed": any(review.person == user.person for review in about.reviews),
        "own": is_author(user, version),
        "longest_comment": LONGEST_COMMENT,
    }
    return render(request, "catalog/runbook.html", context)


def last(user: User, found: Runbook) -> QuerySet[Execution]:
    """Its last executions."""
    newest = newest_of(sight(user), Value(found.category), runbook=Value(found.pk))
    return for_lists(newest).annotate(now=Now())[:LAST]


def _source(request: HttpRequest, found: Runbook, version: RunbookVersion) -> HttpResponse:
    context = {
        "runbook": found,
        "version": version,
        "text": documents.source(version),
        "found": found_in(version, timezone.now().date()),
    }
    return render(request, "catalog/source.html", context)


def may_start(user: User, runbook: Runbook) -> Decision:
    """Whether this person may start it anywhere; if not, why not."""
    about = _at_best(runbook)
    everywhere = can(user, Action.START, about)
    if everywhere.allowed:
        return everywhere
    granted = Environment.objects.filter(rolegrant__user=user).distinct()
    for environment in granted.values_list("pk", flat=True):
        decision = can(user, Action.START, replace(about, environment=environment))
        if decision.allowed:
            return decision
    return everywhere


def _at_best(runbook: Runbook) -> Matter:
    """Outside production and under supervision: the launch page says more of one environment."""
    metadata = runbook.current.metadata if runbook.current else {}
    return Matter(runbook.category, protected=False, critical=critical(metadata), supervised=True)
