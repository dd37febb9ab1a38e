"""The page of an execution and its parts."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.accounts.models import User
from cvdops.executions.glance import told
from cvdops.live import here
from cvdops.live.answers import reads_answers
from cvdops.live.guard import Standing, standing
from cvdops.web.desk import personal
from cvdops.web.live import fragments
from cvdops.web.live.look import look
from cvdops.web.live.reading import read
from cvdops.web.live.scene import Row, Scene
from cvdops.web.templatetags.live import as_json


@requires(Action.READ_EXECUTION)
def execution(request: HttpRequest, execution_id: str) -> HttpResponse:
    """The whole page; `?step=` pins a step, otherwise it follows the running one."""
    user = person(request)
    found = _seen(user, execution_id)
    scene, answers = look(found.execution, told.of(user)), reads_answers(user, found.matter)
    pinned = scene.row(request.GET.get("step", ""))
    row = pinned or scene.focus
    context = {
        **personal(user, scene),
        **fragments.about(scene, row, answers=answers),
        "following": pinned is None,
        "has_output": pinned.has_output if pinned else scene.has_output,
        "room": has_room(scene, pinned),
        "reading": read(row, request.GET.dict(), answers=answers),
        "variables": sorted(scene.execution.variables.items()),
        "controls_url": reverse("execution-controls", args=[scene.execution.pk]),
        "icon_path": icon_path(scene),
    }
    return render(request, "executions/detail.html", context)


@requires(Action.READ_EXECUTION)
def execution_controls(request: HttpRequest, execution_id: str) -> HttpResponse:
    """The personal part alone: what waits for this person, and the buttons.

    `?only=health`: how its environment has been since the end, which is asked for again and again beside
    half-typed notes.
    """
    scene = look(standing(person(request), execution_id).execution)
    context = personal(person(request), scene)
    part = "_health" if request.GET.get("only") == "health" else "_controls"
    return render(request, f"executions/{part}.html", context)


@requires(Action.READ_EXECUTION)
def execution_snapshot(request: HttpRequest, execution_id: str) -> HttpResponse:
    """Everything that moves, once: for a page that lost its place or cannot hold a stream.

    Nothing (204) if the page has everything up to `?after=` and that is all there is.
    """
    user = person(request)
    found = _seen(user, execution_id)
    if request.GET.get("after") == str(found.seq):
        return HttpResponse(status=204)
    scene, answers = look(found.execution), reads_answers(user, found.matter)
    pinned = scene.row(request.GET.get("step", ""))
    row = pinned or scene.focus
    parts = fragments.whole(scene, answers=answers) | fragments.rail(scene)
    if row:
        parts |= fragments.panels(scene, {row.step.pk}, answers=answers)
    reading = read(row, {}, answers=answers)
    return JsonResponse(
        {
            **fragments.facts(scene),
            "position": scene.execution.seq,
            "fragments": parts,
            "step": str(row.step.pk) if row else "",
            "hasOutput": pinned.has_output if pinned else scene.has_output,
            "terminal": as_json(reading.shown) if reading else None,
        }
    )


def _seen(user: User, execution_id: str) -> Standing:
    """Who opens the page or polls looks at it, as one with a stream does. Raises NotFound."""
    found = standing(user, execution_id)
    if not found.over:
        here.looks(user, found.execution)
    return found


def has_room(scene: Scene, pinned: Row | None) -> bool:
    """Whether what will come and go on the page has its room from the beginning."""
    return not scene.execution.is_over and (pinned is None or pinned.current)


def icon_path(scene: Scene) -> str:
    """The icon of the browser's tab: it tells the state."""
    tone = scene.execution.look.tone
    return "icons/favicon.svg" if tone == "none" else f"icons/state-{tone}.svg"
