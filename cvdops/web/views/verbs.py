"""What people do with an execution: each view calls one verb and shows what is left to do."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access import limits
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.executions import queries, services
from cvdops.lib.errors import Invalid, Problem
from cvdops.live.guard import standing
from cvdops.web.desk import personal
from cvdops.web.live.look import look


@requires(Action.CONTROL, "POST")
def pause(request: HttpRequest, execution_id: str) -> HttpResponse:
    services.pause(person(request), execution_id, comment(request))
    return answer(request, execution_id)


@requires(Action.CONTROL, "POST")
def resume(request: HttpRequest, execution_id: str) -> HttpResponse:
    services.resume(person(request), execution_id, comment(request), seen(request))
    return answer(request, execution_id)


@requires(Action.CONTROL, "POST")
def cancel(request: HttpRequest, execution_id: str) -> HttpResponse:
    services.cancel(person(request), execution_id, comment(request), seen(request))
    return answer(request, execution_id)


@requires(Action.CONTROL, "POST")
def roll_back(request: HttpRequest, execution_id: str) -> HttpResponse:
    down_to = request.POST.get("down_to", "")
    services.roll_back(person(request), execution_id, comment(request), down_to, seen(request))
    return answer(request, execution_id)


@requires(Action.CONTROL, "POST")
def give_up(request: HttpRequest, execution_id: str) -> HttpResponse:
    services.give_up(person(request), execution_id, comment(request), seen(request))
    return answer(request, execution_id)


@requires(Action.CONTROL, "POST")
def retry(request: HttpRequest, execution_id: str, step_id: str) -> HttpResponse:
    services.retry(person(request), execution_id, step_id, comment(request), seen(request))
    return answer(request, execution_id)


@requires(Action.OVERRIDE, "POST")
def skip(request: HttpRequest, execution_id: str, step_id: str) -> HttpResponse:
    services.skip(person(request), execution_id, step_id, comment(request), seen(request))
    return answer(request, execution_id)


@requires(Action.OVERRIDE, "POST")
def settle(request: HttpRequest, execution_id: str, step_id: str) -> HttpResponse:
    services.settle(person(request), execution_id, step_id, comment(request), seen(request))
    return answer(request, execution_id)


@requires(Action.ASSIST, "POST")
def confirm(request: HttpRequest, execution_id: str, step_id: str) -> HttpResponse:
    items = request.POST.getlist("items")
    if not all(item.isdecimal() and len(item) < 6 for item in items):
        raise Invalid(
            [
                Problem(
                    "items",
                    "An item is not on this list any more. Reload the page, and confirm what it shows.",
                )
            ]
        )
    positions = [int(item) for item in items]
    services.confirm(person(request), execution_id, step_id, positions, comment(request))
    return answer(request, execution_id)


@requires(Action.CLOSE, "POST")
def close_item(request: HttpRequest, execution_id: str, position: int) -> HttpResponse:
    services.close_item(person(request), execution_id, position, comment(request))
    return answer(request, execution_id)


@requires(Action.NOTE, "POST")
def note(request: HttpRequest, execution_id: str) -> HttpResponse:
    limits.take(person(request), limits.Kind.CHANGE)
    services.note(person(request), execution_id, request.POST.get("text", ""))
    if not request.headers.get("HX-Request"):
        return redirect("execution", execution_id)
    found = queries.get_execution(person(request), execution_id)
    context = {"execution": found, "controls": queries.controls(person(request), found)}
    return render(request, "executions/_note_form.html", context)


def comment(request: HttpRequest) -> str:
    return request.POST.get("comment", "")[:2000]


def seen(request: HttpRequest) -> str:
    """The situation that the page showed."""
    return request.POST.get("seen", "")[:100]


def answer(request: HttpRequest, execution_id: str) -> HttpResponse:
    """What is left to do; without the script, the page."""
    if not request.headers.get("HX-Request"):
        return redirect("execution", execution_id)
    scene = look(standing(person(request), execution_id).execution)
    context = personal(person(request), scene)
    return render(request, "executions/_controls.html", context)
