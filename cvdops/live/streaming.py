"""What every stream of events has in common: where it begins, its headers, that it ends with a right."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

from django.db import Error, connections
from django.http import HttpRequest

from cvdops.access import limits
from cvdops.access.marks import person
from cvdops.live import guard
from cvdops.live.answers import reads_answers
from cvdops.live.frames import Start, frame, retry, start
from cvdops.live.guard import Shown

TYPE = "text/event-stream"
HEADERS = {
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "Content-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known of a viewer and the execution when the stream opens."""

    execution: UUID
    user: int
    shown: Shown
    start: Start
    complete: bool  # it is over, and the viewer has everything
    answers: bool  # it has also what came back to requests


def opened(
    request: HttpRequest, execution_id: str, shown: Shown, beginning: str | None = None
) -> Opening:
    """What is asked for, from `?after=` or `Last-Event-ID` on, the larger valid one; without any from
    `beginning`, or from now. Raises NotFound, TooMany. Afterwards this thread holds no connection."""
    after, last = request.GET.get("after"), request.headers.get("Last-Event-ID")
    if after is None and last is None:
        after = beginning
    try:
        user = person(request)
        limits.check_streams(user)
        found = guard.standing(user, execution_id)
        begin = start(after, last, found.seq)
        return Opening(
            execution=found.execution,
            user=user.pk,
            shown=shown,
            start=begin,
            complete=found.over and not begin.reset and begin.position == found.seq,
            answers=reads_answers(user, found.matter),
        )
    finally:
        connections.close_all()


async def guarded(
    opening: Opening, frames: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    """The frames, as long as whoever gets them may: asked again and again. A `bye` says that they may not."""
    with limits.streaming(opening.user):
        yield retry(random.randrange(1_000, 4_000))  # noqa: S311 — so that not all come back at once
        clock = asyncio.get_running_loop().time
        check_at = clock() + guard.EVERY
        async with aclosing(frames) as following:
            async for data in following:
                if clock() > check_at:
                    if not await _may_go_on(opening):
                        yield frame("bye", {})
                        return
                    check_at = clock() + guard.EVERY
                yield data


async def _may_go_on(opening: Opening) -> bool:
    """A database that cannot be asked has not said yes: the stream ends, the client comes back."""
    try:
        return await guard.may_go_on(opening.shown, opening.execution, answers=opening.answers)
    except Error:
        return False
