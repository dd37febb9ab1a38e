"""An execution as server-sent events: opened in a thread, sent by the event loop."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

from django.db import Error, connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.web.live import guard
from cvdops.web.live.answers import reads_answers
from cvdops.web.live.draining import draining
from cvdops.web.live.frames import Start, frame, retry, start
from cvdops.web.live.hub import hub

HEADERS = {
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "Content-Encoding": "identity",
}
TYPE = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known of a viewer and the execution when the stream opens."""

    execution: UUID
    session: str
    start: Start
    complete: bool  # it is over, and the viewer has everything
    answers: bool  # it has also what came back to requests


@requires(Action.READ_EXECUTION)
def execution_events(request: HttpRequest, execution_id: str) -> HttpResponseBase:
    """Changes and output after `?after=` or `Last-Event-ID`, the larger valid one."""
    if draining():
        return HttpResponse("Going down.", status=503, headers={"Retry-After": "1"})
    opening = _open(request, execution_id)
    if opening.complete:
        return HttpResponse(status=204)
    if request.method == "HEAD":
        return HttpResponse(content_type=TYPE, headers=HEADERS)
    return StreamingHttpResponse(_frames(opening), content_type=TYPE, headers=HEADERS)


def _open(request: HttpRequest, execution_id: str) -> Opening:
    try:
        user = person(request)
        found = guard.standing(user, execution_id)
        begin = start(request.GET.get("after"), request.headers.get("Last-Event-ID"), found.seq)
        return Opening(
            execution=found.execution,
            session=request.session.session_key or "",
            start=begin,
            complete=found.over and not begin.reset and begin.position == found.seq,
            answers=reads_answers(user, found.matter),
        )
    finally:
        # An open stream must hold no connection.
        connections.close_all()


async def _frames(opening: Opening) -> AsyncGenerator[bytes, None]:
    yield retry(random.randrange(1_000, 4_000))  # noqa: S311 — so that not all come back at once
    if opening.start.reset:
        yield frame("reset", {})
        return
    clock = asyncio.get_running_loop().time
    check_at = clock() + guard.EVERY
    async with aclosing(_watch(opening)) as frames:
        async for data in frames:
            if clock() > check_at:
                if not await _may_go_on(opening):
                    yield frame("bye", {})
                    return
                check_at = clock() + guard.EVERY
            yield data


def _watch(opening: Opening) -> AsyncGenerator[bytes, None]:
    position = opening.start.position
    return hub().watch(opening.execution, position, answers=opening.answers)


async def _may_go_on(opening: Opening) -> bool:
    """A database that cannot be asked has not said yes: the stream ends, the client comes back."""
    try:
        return await guard.may_go_on(opening.session, opening.execution, answers=opening.answers)
    except Error:
        return False
