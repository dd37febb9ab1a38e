"""The launch page: choose, fill in, see what would run, confirm, start."""

from collections.abc import Sequence
from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access import limits
from cvdops.access.catalog import get_runbook
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, named
from cvdops.accounts.models import User
from cvdops.catalog.models import Runbook
from cvdops.catalog.queries import document
from cvdops.environments.models import Environment
from cvdops.executions import queues, services
from cvdops.executions.estimate import estimate
from cvdops.executions.glance import told
from cvdops.executions.impact import impact
from cvdops.executions.launch import Preview, reads
from cvdops.executions.priorities import TERMS, Priority
from cvdops.executions.versions import executable_version
from cvdops.lib.errors import Invalid, Problem, Refused
from cvdops.lib.together import ahead
from cvdops.spec.document import Runbook as Document
from cvdops.spec.plan import steps_of
from cvdops.web import approvers, launch
from cvdops.web.catalog.versions import number_in
from cvdops.web.errors import record_refusal
from cvdops.web.fresh import fresh
from cvdops.web.launch import Typed, typed_from
from cvdops.web.timing import timing


@requires(Action.START, "GET", "POST")
def run(request: HttpRequest, runbook_id: str) -> HttpResponse:
    user = person(request)
    found = get_runbook(user, runbook_id)
    typed = typed_from(request.POST if request.method == "POST" else request.GET)
    if request.method != "POST":
        return _page(request, found, typed, None)
    begin = fresh(_start) if typed.emergency else _start
    return begin(request, found, typed)


def _start(request: HttpRequest, found: Runbook, typed: Typed) -> HttpResponse:
    limits.take(person(request), limits.Kind.START)
    try:
        execution = services.start(
            person(request),
            runbook=found.pk,
            environment=typed.environment,
            procedure=typed.procedure or None,
            version=_number(typed),
            shown=number_in(typed.shown) if typed.shown else None,
            variables=typed.variables,
            reason=typed.reason,
            confirm_environment=typed.confirm_environment,
            checklist=typed.checklist,
            idempotency_key=typed.key,
            in_window=typed.in_window,
            emergency=launch.declaration(typed),
        )
    except Invalid as error:
        return _page(request, found, typed, error.problems)
    except Refused as error:
        record_refusal(request, error.reasons)
        return _page(request, found, typed, None, status=error.status)
    return redirect("execution", execution.pk)


def _page(
    request: HttpRequest,
    runbook: Runbook,
    typed: Typed,
    refused: Sequence[Problem] | None,
    status: int = 200,
) -> HttpResponse:
    """The page as it stands; `refused` are the problems of a start that was sent, if one was."""
    fragment = bool(request.headers.get("HX-Request"))
    version = executable_version(runbook, _number(typed))
    doc = document(version)
    environments = list(Environment.objects.all())
    typed = _complete(typed, doc, environments)
    context: dict[str, object] = {
        "runbook": runbook,
        "version": version,
        "instead_of": runbook.current if version != runbook.current else None,
        "document": doc,
        "typed": typed,
        "environments": environments,
        "procedures": [(p, steps_of(doc, p.key)) for p in doc.procedures],
    }
    if typed.procedure:
        asked_for = [e.queue for e in environments if e.slug == typed.environment]
        ahead(
            *([] if fragment else [told.of(person(request))]),
            named.of(),
            *(queues.workers.of(queue) for queue in asked_for),
            *reads(typed.environment, runbook.pk, runbook.category),
        )
        preview = services.preview(
            person(request),
            runbook.pk,
            typed.environment,
            typed.procedure,
            typed.variables,
            _number(typed),
            emergency=typed.emergency,
        )
        context |= _plan(person(request), preview, typed, refused)
    template = "launch/run.html#launch" if fragment else "launch/run.html"
    return render(request, template, context, status=422 if refused else status)


def _number(typed: Typed) -> int | None:
    return number_in(typed.version) if typed.version else None


def _complete(typed: Typed, doc: Document, environments: Sequence[Environment]) -> Typed:
    """What was not chosen yet: the only procedure, the first environment."""
    only = doc.procedures[0].key if len(doc.procedures) == 1 else ""
    first = environments[0].slug if environments else ""
    return replace(
        typed,
        procedure=typed.procedure or only,
        environment=typed.environment or first,
    )


def _plan(
    user: User, preview: Preview, typed: Typed, refused: Sequence[Problem] | None
) -> dict[str, object]:
    unsent = preview.problems if typed.sent else launch.worth_showing(preview, typed.variables)
    problems = unsent if refused is None else refused
    by_field = {problem.field: problem.message for problem in problems}
    fields = launch.fields(preview, by_field)
    placed = {field.variable.name for field in fields} | {*launch.PLACED}
    obstacles = [p for p in problems if p.field not in placed and "." not in p.field]
    rows = launch.rows(preview)
    takes = estimate(preview.draft, str(preview.version.metadata.get("estimated_time", "")))
    return {
        "preview": preview,
        "timing": timing(preview, takes),
        "takes": takes,
        "impact": impact(user, preview.draft),
        "services": launch.services(preview),
        "no_return": launch.no_return(rows),
        "gap": queues.gap(preview.environment.queue),
        "fields": fields,
        "errors_at": ",".join(
            f"#{f.name}-error:innerHTML" for f in fields if not f.variable.secret
        ),
        "rows": rows,
        "hosts": launch.hosts(preview),
        "approvals": approvers.needed(preview.draft),
        "errors": by_field,
        "refused": refused,
        "priorities": [(one, TERMS[one]) for one in Priority] if typed.emergency else [],
        "obstacles": obstacles,
        "first_wrong": launch.first_wrong(problems, fields, obstacles),
        "checklist": [
            (position, draft, position in typed.checklist, by_field.get(f"checklist.{position}"))
            for position, draft in enumerate(preview.before)
        ],
    }
