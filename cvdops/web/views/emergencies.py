"""The emergency that an execution was started as: how it was declared, and its review."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.executions import emergencies
from cvdops.executions.models import Emergency
from cvdops.executions.queries import get_execution
from cvdops.lib.errors import Invalid, NotFound

_WHAT = ("runbook", "version", "environment")  # the policy asks about them


@requires(Action.READ_EXECUTION, "GET", "POST")
def emergency(request: HttpRequest, execution_id: str) -> HttpResponse:
    if request.method != "POST":
        return _page(request, execution_id)
    try:
        emergencies.review(person(request), execution_id, request.POST.get("review", ""))
    except Invalid as error:
        return _page(request, execution_id, str(error))
    messages.success(request, "The review is kept with the execution.")
    return redirect("execution-emergency", execution_id)


def _page(request: HttpRequest, execution_id: str, problem: str = "") -> HttpResponse:
    user = person(request)
    execution = get_execution(user, execution_id)
    found = Emergency.objects.select_related(
        "declared_by", "reviewed_by", *(f"execution__{of}" for of in _WHAT)
    )
    one = found.defer("execution__version__source").filter(execution=execution).first()
    if one is None:
        raise NotFound("emergency")
    context = {
        "execution": execution,
        "emergency": one,
        "may_review": emergencies.may_review(user, one),
        "problem": problem,
        "typed": request.POST.get("review", ""),
    }
    return render(request, "executions/emergency.html", context, status=422 if problem else 200)
