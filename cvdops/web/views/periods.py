"""The forms by which windows and freezes are changed: by proposal, with a second person."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.changes import services
from cvdops.changes.kinds import kind as kind_named
from cvdops.changes.periods import key
from cvdops.environments.models import Environment, Period
from cvdops.executions import inventory
from cvdops.lib.errors import Conflict, Invalid, NotFound, Problem
from cvdops.web.fresh import fresh
from cvdops.web.periods import PeriodForm

PROPOSED = "It is proposed. Another administrator or Operations Lead has to confirm it."


@requires(Action.EDIT_WINDOWS, "GET", "POST")
@fresh
def add(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    if kind not in Period.Kind.values:
        raise NotFound
    return _edit(request, inventory.environment(slug), kind, None)


@requires(Action.EDIT_WINDOWS, "GET", "POST")
@fresh
def change(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    period = _period(slug, pk)
    return _edit(request, period.environment, period.kind, period)


@requires(Action.EDIT_WINDOWS, "POST")
@fresh
def remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    period = _period(slug, pk)
    name, reason = key(slug, period.name), request.POST.get("reason", "")
    try:
        services.submit(person(request), period.kind, name, None, reason)
    except Invalid as error:
        return _form(request, period.environment, period.kind, period, error.problems)
    messages.success(request, PROPOSED)
    return redirect("environment", slug)


def _period(slug: str, pk: int) -> Period:
    found = Period.objects.select_related("environment").filter(environment=slug, pk=pk).first()
    if found is None:
        raise NotFound("window or freeze")
    return found


def _edit(
    request: HttpRequest, environment: Environment, kind: str, period: Period | None
) -> HttpResponse:
    if request.method != "POST":
        return _form(request, environment, kind, period)
    form = PeriodForm(period, request.POST)
    if problems := form.problems():
        return _form(request, environment, kind, period, problems)
    name, after = form.change(environment)
    problems = _taken(environment, kind, form.cleaned_data["name"]) if period is None else []
    try:
        if problems:
            raise Invalid(problems)
        services.submit(person(request), kind, name, after, form.cleaned_data["reason"])
    except Invalid as error:
        return _form(request, environment, kind, period, error.problems)
    except Conflict as error:
        return _form(request, environment, kind, period, conflict=error)
    messages.success(request, PROPOSED)
    return redirect("environment", environment.slug)


def _taken(environment: Environment, kind: str, name: str) -> list[Problem]:
    if not environment.periods.filter(kind=kind, name=name).exists():
        return []
    return [Problem("name", "There is one of this name already: change that one.")]


def _form(
    request: HttpRequest,
    environment: Environment,
    kind: str,
    period: Period | None,
    problems: Sequence[Problem] = (),
    conflict: Conflict | None = None,
) -> HttpResponse:
    form = PeriodForm(period, request.POST if problems or conflict else None)
    errors = [(f, [p.message for p in problems if p.field == f.name]) for f in form]
    for field, found in errors:
        if found:
            field.field.widget.attrs["aria-invalid"] = "true"
    context = {
        "environment": environment,
        "period": period,
        "kind": kind,
        "called": kind_named(kind).CALLED,
        "fields": errors,
        "conflict": conflict,
    }
    status = conflict.status if conflict else 422 if problems else 200
    return render(request, "environments/period.html", context, status=status)
