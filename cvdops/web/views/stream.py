"""An execution as server-sent events: opened in a thread, sent by the event loop."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from cvdops.access.marks import requires
from cvdops.access.policy import Action
from cvdops.live.draining import draining
from cvdops.live.frames import frame
from cvdops.live.guard import Shown
from cvdops.live.hub import hub
from cvdops.live.ring import Behind
from cvdops.live.streaming import HEADERS, TYPE, Opening, guarded, opened
from cvdops.web.live.feed import Feed


@requires(Action.READ_EXECUTION)
def execution_events(request: HttpRequest, execution_id: str) -> HttpResponseBase:
    """Changes and output after `?after=` or `Last-Event-ID`, the larger valid one."""
    if draining():
        return HttpResponse("Going down.", status=503, headers={"Retry-After": "1"})
    opening = opened(request, execution_id, Shown(session=request.session.session_key or ""))
    if opening.complete:
        return HttpResponse(status=204)
    if request.method == "HEAD":
        return HttpResponse(content_type=TYPE, headers=HEADERS)
    frames = guarded(opening, _frames(opening))
    return StreamingHttpResponse(frames, content_type=TYPE, headers=HEADERS)


async def _frames(opening: Opening) -> AsyncGenerator[bytes, None]:
    if opening.start.reset:
        yield frame("reset", {})
        return
    position = opening.start.position
    following = hub().watch(Feed, opening.execution, position, answers=opening.answers)
    try:
        async with aclosing(following) as frames:
            async for data in frames:
                yield data
    except Behind:
        yield frame("reset", {})
