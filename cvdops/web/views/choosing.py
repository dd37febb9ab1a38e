"""Where an execution goes on, or how far it is rolled back: the plan first, then the button."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, can
from cvdops.executions import services
from cvdops.executions.queries import controls, get_step, matter
from cvdops.executions.services.resuming import Fate
from cvdops.lib.errors import Conflict, Invalid, Problem
from cvdops.live.guard import standing
from cvdops.web.live.look import look
from cvdops.web.live.scene import Scene


@requires(Action.CONTROL, "GET", "POST")
def go_on(request: HttpRequest, execution_id: str) -> HttpResponse:
    """What becomes of each step when it goes on from the chosen one; a POST lets it."""
    user, step = person(request), _given(request, "step")
    if request.method == "POST":
        try:
            services.resume_from(
                user, execution_id, step, _given(request, "comment"), _given(request, "seen")
            )
        except Invalid as error:
            return _go_on(request, execution_id, step, error.problems)
        except Conflict as error:
            return _go_on(request, execution_id, step, conflict=error)
        return redirect("execution", execution_id)
    return _go_on(request, execution_id, step)


def _go_on(
    request: HttpRequest,
    execution_id: str,
    step: str,
    problems: Sequence[Problem] = (),
    conflict: Conflict | None = None,
) -> HttpResponse:
    user, scene = person(request), _scene(request, execution_id)
    chosen = get_step(scene.execution, step) if step else None
    plan = services.plan_resume(user, execution_id, chosen.pk) if chosen else None
    fates = plan.fates if plan else ()
    context = {
        "scene": scene,
        "execution": scene.execution,
        "rows": [row for row in scene.rows if row.step.phase == "forward"],
        "chosen": chosen,
        "plan": plan,
        "stay": [s for s, fate in fates if fate is Fate.REUSE],
        "change": [(s, fate) for s, fate in fates if fate is not Fate.REUSE],
        "decision": can(user, plan.action, matter(scene.execution)) if plan else None,
        "problems": problems,
        "conflict": conflict,
        "comment": _given(request, "comment"),
    }
    status = conflict.status if conflict else 422 if problems else 200
    return render(request, "executions/go_on.html", context, status=status)


@requires(Action.READ_EXECUTION)
def undo(request: HttpRequest, execution_id: str) -> HttpResponse:
    """What a rollback down to the chosen step would undo, and what it would leave in place."""
    user, scene = person(request), _scene(request, execution_id)
    down_to = _given(request, "down_to")
    step = get_step(scene.execution, down_to) if down_to else None
    undone, left = services.undone_by(scene.execution, step.key if step else "")
    context = {
        "scene": scene,
        "execution": scene.execution,
        "step": step,
        "undone": undone,
        "left": left,
        "keys": {entry.step_key: entry.title for entry in scene.undo if entry.rollback_key},
        "control": controls(user, scene.execution, scene.undo).roll_back,
    }
    return render(request, "executions/undo.html", context)


def _scene(request: HttpRequest, execution_id: str) -> Scene:
    return look(standing(person(request), execution_id).execution)


def _given(request: HttpRequest, name: str) -> str:
    data = request.POST if request.method == "POST" else request.GET
    return data.get(name, "")[:2000]
