"""The dry run: asked for beside Start, and its result in place, as the hosts answer."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from cvdops.access.catalog import get_runbook
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.catalog.models import Runbook
from cvdops.executions import services
from cvdops.executions.models import HostCheck
from cvdops.executions.readiness import TOOLS_AT
from cvdops.lib.errors import Invalid, NotFound, Problem
from cvdops.web.catalog.versions import number_in
from cvdops.web.launch import typed_from
from cvdops.web.probes import shown

MOST = 100  # hosts


@requires(Action.START, "GET", "POST")
def dry_run(request: HttpRequest, runbook_id: str) -> HttpResponse:
    user = person(request)
    found = get_runbook(user, runbook_id)
    if request.method != "POST":
        return _result(request, found, _checks(request.GET.getlist("check")))
    typed = typed_from(request.POST)
    try:
        made = services.dry_run(
            user,
            runbook=found.pk,
            environment=typed.environment,
            procedure=typed.procedure or None,
            version=number_in(typed.version) if typed.version else None,
            variables=typed.variables,
        )
    except Invalid as error:
        return _result(request, found, (), error.problems)
    if request.headers.get("HX-Request"):
        return _result(request, found, made.checks)
    return redirect(_address(found, made.checks))


def _result(
    request: HttpRequest,
    runbook: Runbook,
    checks: Iterable[HostCheck],
    problems: Sequence[Problem] = (),
) -> HttpResponse:
    tests = [shown(check) for check in checks]
    context = {
        "runbook": runbook,
        "tests": tests,
        "problems": problems,
        "tools_at": TOOLS_AT,
        "over": all(test.over for test in tests),
        "good": not problems and all(test.good for test in tests),
        "address": _address(runbook, [test.check for test in tests]),
    }
    fragment = bool(request.headers.get("HX-Request"))
    template = "launch/dry_run.html#result" if fragment else "launch/dry_run.html"
    return render(request, template, context, status=422 if problems else 200)


def _address(runbook: Runbook, checks: Iterable[HostCheck]) -> str:
    query = urlencode([("check", str(check.pk)) for check in checks])
    return f"{reverse('dry-run', args=[runbook.pk])}?{query}"


def _checks(given: Sequence[str]) -> list[HostCheck]:
    """The tests with these identifiers, by host. Raises NotFound."""
    try:
        ids = [UUID(text) for text in given[:MOST]]
    except ValueError:
        raise NotFound("dry run") from None
    found = HostCheck.objects.select_related("host__environment").filter(pk__in=ids)
    return list(found.order_by("host__name"))
