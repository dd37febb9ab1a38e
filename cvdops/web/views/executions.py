"""The page of an execution, its parts, and the output of its steps as files."""

from collections.abc import AsyncGenerator
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import connections
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.executions import output
from cvdops.executions.models import StepAttempt
from cvdops.executions.queries import get_execution, get_step, matter
from cvdops.lib.errors import NotFound
from cvdops.web.desk import personal
from cvdops.web.live import fragments
from cvdops.web.live.answers import WITHHELD, is_answer, reads_answers
from cvdops.web.live.guard import standing
from cvdops.web.live.look import look
from cvdops.web.live.scene import Row, Scene
from cvdops.web.live.tail import Tail, removed, tail, withheld
from cvdops.web.templatetags.live import terminal_lines

PIECE = 1 << 20  # bytes of a download that are in memory at once


@requires(Action.READ_EXECUTION)
def execution(request: HttpRequest, execution_id: str) -> HttpResponse:
    """The whole page; `?step=` pins a step, otherwise it follows the running one."""
    user = person(request)
    found = standing(user, execution_id)
    scene, answers = look(found.execution), reads_answers(user, found.matter)
    pinned = scene.row(request.GET.get("step", ""))
    row = pinned or scene.focus
    context = {
        **personal(user, scene),
        **fragments.shown(answers=answers),
        "row": row,
        "following": pinned is None,
        "has_output": row is not None and row.has_output,
        "tail": _tail(row, answers=answers),
        "variables": sorted(scene.execution.variables.items()),
        "controls_url": reverse("execution-controls", args=[scene.execution.pk]),
        "icon_path": icon_path(scene),
    }
    return render(request, "executions/detail.html", context)


@requires(Action.READ_EXECUTION)
def execution_controls(request: HttpRequest, execution_id: str) -> HttpResponse:
    """The personal part alone: what waits for this person, and the buttons."""
    scene = look(standing(person(request), execution_id).execution)
    context = personal(person(request), scene)
    return render(request, "executions/_controls.html", context)


@requires(Action.READ_EXECUTION)
def execution_snapshot(request: HttpRequest, execution_id: str) -> HttpResponse:
    """Everything that moves, once: for a page that lost its place or cannot hold a stream.

    Nothing (204) if the page has everything up to `?after=` and that is all there is.
    """
    user = person(request)
    found = standing(user, execution_id)
    if request.GET.get("after") == str(found.seq):
        return HttpResponse(status=204)
    scene, answers = look(found.execution), reads_answers(user, found.matter)
    row = scene.row(request.GET.get("step", "")) or scene.focus
    parts = fragments.whole(scene, answers=answers) | fragments.rail(scene)
    if row:
        parts[f"panel-{row.step.pk}"] = fragments.panel(scene, row, answers=answers)
    shown = _tail(row, answers=answers)
    return JsonResponse(
        {
            **fragments.facts(scene),
            "position": scene.execution.seq,
            "fragments": parts,
            "step": str(row.step.pk) if row else "",
            "hasOutput": row is not None and row.has_output,
            "terminal": _terminal(shown) if shown else None,
        }
    )


def _terminal(shown: Tail) -> dict[str, object]:
    return {
        "attempt": str(shown.attempt),
        "begin": shown.begin,
        "end": shown.end,
        "first": shown.first,
        "html": terminal_lines(shown),
    }


def _tail(row: Row | None, *, answers: bool) -> Tail | None:
    if row is None or row.attempt is None:
        return None
    return withheld(row.attempt) if row.is_answer and not answers else tail(row.attempt)


def icon_path(scene: Scene) -> str:
    """The icon of the browser's tab: it tells the state."""
    tone = scene.execution.look.tone
    return "icons/favicon.svg" if tone == "none" else f"icons/state-{tone}.svg"


@requires(Action.READ_EXECUTION)
def execution_output(request: HttpRequest, execution_id: str, step_id: str) -> HttpResponseBase:
    """What a step wrote, byte for byte as stored; `?attempt=` for an earlier attempt."""
    user = person(request)
    found = get_execution(user, execution_id)
    step = get_step(found, step_id)
    if is_answer(step) and not reads_answers(user, matter(found)):
        return HttpResponse(WITHHELD, "text/plain; charset=utf-8", status=403)
    attempt = _attempt(step.attempts.all().order_by("-number"), request.GET.get("attempt"))
    begin, end = output.begin(attempt.pk), output.size(attempt.pk)
    if attempt.output_size and not end:
        return HttpResponse(removed(attempt), "text/plain; charset=utf-8", status=410)
    name = f"{found.runbook_id}-{found.number}-{step.key}-{attempt.number}.txt"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(end - begin),
        "X-Content-Type-Options": "nosniff",
    }
    content_type = "text/plain; charset=utf-8"
    if end - begin <= PIECE:
        data = output.read(attempt.pk, begin, end - begin)
        return HttpResponse(data, content_type, headers=headers)
    connections.close_all()  # it may take long, and holds no connection meanwhile
    return StreamingHttpResponse(
        _pieces(attempt.pk, begin, end), content_type=content_type, headers=headers
    )


def _attempt(attempts: QuerySet[StepAttempt], number: str | None) -> StepAttempt:
    if number is not None:
        attempts = (
            attempts.filter(number=int(number[:6])) if number.isdecimal() else attempts.none()
        )
    found = attempts.first()
    if found is None:
        raise NotFound("output")
    return found


async def _pieces(attempt: UUID, begin: int, end: int) -> AsyncGenerator[bytes, None]:
    for offset in range(begin, end, PIECE):
        yield await _piece(attempt, offset, min(PIECE, end - offset))


def _read_piece(attempt: UUID, offset: int, length: int) -> bytes:
    try:
        return output.read(attempt, offset, length)
    finally:
        connections.close_all()


_piece = sync_to_async(_read_piece, thread_sensitive=False)
