"""An execution as it moves, for programs: server-sent events in JSON."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import Query, Router

from cvdops.access.marks import requires
from cvdops.access.policy import Action
from cvdops.access.tokens import token_of
from cvdops.api.asking import Asked, Text
from cvdops.api.feed import Feed
from cvdops.lib.problems import problem
from cvdops.live.draining import draining
from cvdops.live.frames import frame
from cvdops.live.guard import Shown
from cvdops.live.hub import hub
from cvdops.live.ring import Behind
from cvdops.live.streaming import HEADERS, TYPE, Opening, guarded, opened

router = Router(tags=["executions"])

_EXAMPLE = """retry: 2000

event: execution
id: 12
data: {"seq": 12, "at": "2026-11-26T14:03:11Z", "kind": "execution.claim", "user": null, …}

event: output
id: 13
data: {"step": "check", "host": "cvd-1", "attempt": 1, "offset": 0, "next_offset": 6, "text": "hello\\n"}

event: end
data: {}
"""


class Wanted(Asked):
    """`after`: the position after which it begins, as that of an execution or of an event."""

    after: Text = ""


@router.get(
    "/executions/{execution_id}/events",
    url_name="api-execution-events",
    openapi_extra={
        "responses": {
            200: {
                "description": "The stream, until the execution is over.",
                "content": {TYPE: {"schema": {"type": "string"}, "example": _EXAMPLE}},
            },
            204: {"description": "It is over, and you have everything."},
        }
    },
)
@requires(Action.READ_EXECUTION)
def events(request: HttpRequest, execution_id: str, wanted: Query[Wanted]) -> HttpResponseBase:
    """What happens to it, from the beginning or after a position, until it is over."""
    if draining():
        answer = problem(503, "unavailable", "The portal goes down", "Come back in a second.")
        answer["Retry-After"] = "1"
        return answer
    token = token_of(request)
    key = "" if token else request.session.session_key or ""
    opening = opened(request, execution_id, Shown(key, token), beginning="0")
    if opening.complete:
        nothing = HttpResponse(status=204)
        del nothing["Content-Type"]
        return nothing
    return StreamingHttpResponse(
        guarded(opening, _frames(opening)), content_type=TYPE, headers=HEADERS
    )


async def _frames(opening: Opening) -> AsyncGenerator[bytes, None]:
    """Shared with all who follow it; who is behind what they share reads for themselves up to there."""
    if opening.start.reset:
        yield frame("reset", {})
        return
    position = opening.start.position
    while True:
        following = hub().watch(Feed, opening.execution, position, answers=opening.answers)
        try:
            async with aclosing(following) as frames:
                async for data in frames:
                    position = _last(data, position)
                    yield data
            return
        except Behind:
            pass
        own = Feed(opening.execution, position, answers=opening.answers)
        turn = await sync_to_async(own.turn, thread_sensitive=False)()
        if turn.reset:
            yield frame("reset", {})
            return
        if turn.frames:
            yield b"".join(turn.frames)
        position = turn.position


def _last(data: bytes, position: int) -> int:
    """The position of the last event in these frames."""
    at = data.rfind(b"\nid: ")
    return int(data[at + 5 :].split(b"\n", 1)[0]) if at >= 0 else position
