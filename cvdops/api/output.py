"""What a step wrote, byte for byte: from an offset on, or a range of it; and where it says something."""

import re
from dataclasses import dataclass, replace

from django.db import connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from ninja import Query, Router, Schema
from pydantic import Field

from cvdops.access import limits
from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.api.asking import Asked, Text
from cvdops.api.steps import the_step
from cvdops.executions import output
from cvdops.executions.models import StepAttempt, StepRun
from cvdops.executions.queries import get_outline, matter
from cvdops.lib.errors import NotFound
from cvdops.lib.problems import problem
from cvdops.live.answers import is_answer
from cvdops.live.download import PIECE, pieces
from cvdops.live.search import LONGEST, search

router = Router(tags=["steps"])

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_TYPE = "text/plain; charset=utf-8"
_HEADERS = {
    "X-Next-Offset": {
        "description": "From which offset on to ask next: it never is before the one asked for.",
        "schema": {"type": "integer"},
    },
    "X-Complete": {
        "description": "`true` when the attempt is over and nothing follows.",
        "schema": {"type": "string", "enum": ["true", "false"]},
    },
    "X-Attempt": {
        "description": "Of which attempt it is; 0 before the first.",
        "schema": {"type": "integer"},
    },
}
_BYTES = {"content": {"text/plain": {"schema": {"type": "string", "format": "binary"}}}}


class Wanted(Asked):
    """`offset` of the first byte; `host` where the step runs on several; `attempt`, else the last one."""

    offset: int = Field(0, ge=0, lt=1 << 62)
    host: Text = ""
    attempt: int | None = Field(None, ge=1, lt=1 << 31)


@dataclass(frozen=True, slots=True)
class Stored:
    """The output of an attempt as it is stored now: of which bytes, and whether these are all."""

    attempt: StepAttempt | None
    begin: int = 0
    end: int = 0

    @property
    def complete(self) -> bool:
        one = self.attempt
        return one is not None and one.finished_at is not None and self.end >= one.output_size

    @property
    def removed(self) -> bool:
        return bool(self.attempt and self.attempt.output_size and not self.end)

    @property
    def headers(self) -> dict[str, str]:
        attempt = self.attempt
        tag = f"{attempt.pk if attempt else 0}-{self.begin}-{self.end}-{self.complete:d}"
        return {
            "X-Attempt": str(attempt.number if attempt else 0),
            "X-Complete": "true" if self.complete else "false",
            "X-Content-Type-Options": "nosniff",
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-cache",
            "Content-Encoding": "identity",  # a range is one of these bytes, not of compressed ones
            "ETag": f'"{tag}"',
        }


@router.get(
    "/executions/{execution_id}/steps/{step_id}/output",
    url_name="api-step-output",
    openapi_extra={
        "responses": {
            200: {"description": "The bytes from the offset on.", "headers": _HEADERS, **_BYTES},
            206: {"description": "Those of the `Range`.", "headers": _HEADERS, **_BYTES},
            304: {"description": "Nothing is new since the answer with this `ETag`."},
        }
    },
)
@requires(Action.READ_EXECUTION)
def step_output(
    request: HttpRequest, execution_id: str, step_id: str, wanted: Query[Wanted]
) -> HttpResponseBase:
    """The raw bytes as they are stored, secrets masked. Ask again from `X-Next-Offset` for what follows.

    Before the first attempt there are none, and from the end on or beyond it none yet: that is no error, and
    the next offset is the one asked for. `X-Attempt` says when the step has begun anew, and with it its bytes.
    With `Range: bytes=…` a part of them, or 416 where it begins behind the end.
    """
    step = _readable(person(request), execution_id, step_id, wanted.host)
    found = _stored(step, wanted.attempt)
    if found.removed:
        return _removed()
    part = _range(request, found)
    if part and part[0] >= part[1]:
        answer = problem(
            416, "range", "There are no such bytes", "Ask for less: see Content-Range."
        )
        answer["Content-Range"] = f"bytes */{found.end}"
        answer["X-Attempt"] = found.headers["X-Attempt"]
        return answer
    begin, end = part or (max(found.begin, wanted.offset), max(found.end, wanted.offset))
    headers = {**found.headers, "X-Next-Offset": str(end), "Content-Length": str(end - begin)}
    if part:
        total = found.end if found.complete else "*"
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{total}"
    if end - begin > PIECE:
        # It may take long, and holds neither a connection nor a place at the gate meanwhile.
        headers["Content-Disposition"] = "attachment"
        answered: HttpResponseBase = StreamingHttpResponse(
            pieces(found.attempt.pk, begin, end) if found.attempt else (),
            status=206 if part else 200,
            headers=headers,
            content_type=_TYPE,
        )
        connections.close_all()
        return answered
    data = output.read(found.attempt.pk, begin, end - begin) if found.attempt else b""
    whole = HttpResponse(data, _TYPE, 206 if part else 200, headers=headers)
    if part or wanted.offset:
        return whole
    return get_conditional_response(request, etag=headers["ETag"], response=whole) or whole


class Words(Asked):
    """What is looked for, whatever its case; `host` and `attempt` as for the output."""

    q: Text = Field(min_length=1, max_length=LONGEST)
    host: Text = ""
    attempt: int | None = Field(None, ge=1, lt=1 << 31)


class Places(Schema):
    """How many lines hold it, and the offsets at which the newest of them begin, 2,000 at most.

    `next_offset` is the offset up to which it was looked for: a step that still runs may write more, which
    is read from there on. `complete`: nothing follows. `until` is the same offset if it is not `complete`
    because the time did not suffice.
    """

    total: int
    offsets: list[int]
    next_offset: int
    complete: bool
    until: int | None = None


@router.get(
    "/executions/{execution_id}/steps/{step_id}/search",
    response=Places,
    url_name="api-step-search",
)
@requires(Action.READ_EXECUTION)
def step_search(
    request: HttpRequest, execution_id: str, step_id: str, wanted: Query[Words]
) -> Places | HttpResponse:
    """Where the output of a step says something. Read the lines from those offsets on."""
    user = person(request)
    stored = _stored(_readable(user, execution_id, step_id, wanted.host), wanted.attempt)
    if stored.attempt is None:
        return Places(total=0, offsets=[], next_offset=0, complete=False)
    if stored.removed:
        return _removed()
    with limits.asking(user):
        found = search(stored.attempt, wanted.q)
    looked = replace(stored, end=found.end)
    return Places(
        total=found.total,
        offsets=found.hits,
        next_offset=found.end,
        complete=looked.complete,
        until=found.until,
    )


def _readable(user: User, execution_id: str, step_id: str, host: str) -> StepRun:
    """The step, whose output this person may read. Raises NotFound, Refused."""
    execution = get_outline(user, execution_id)
    step = the_step(execution, step_id, host)
    if is_answer(step):
        can(user, Action.READ_ANSWERS, matter(execution)).enforce()
    return step


def _stored(step: StepRun, number: int | None) -> Stored:
    attempts = step.attempts.order_by("-number")
    attempt = (attempts.filter(number=number) if number else attempts).first()
    if attempt is None:
        if number:
            raise NotFound("attempt")
        return Stored(None)
    return Stored(attempt, output.begin(attempt.pk), output.size(attempt.pk))


def _removed() -> HttpResponse:
    return problem(
        410, "removed", "It is not there any more", "Output is kept for some months only."
    )


def _range(request: HttpRequest, found: Stored) -> tuple[int, int] | None:
    """The bytes that a `Range` names; none that is there: an empty one. What is no range is left out."""
    match = _RANGE.fullmatch(request.headers.get("Range", ""))
    stale = request.headers.get("If-Range", found.headers["ETag"]) != found.headers["ETag"]
    if match is None or stale or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return max(found.begin, found.end - int(last)), found.end
    end = min(found.end, int(last) + 1) if last else found.end
    if last and int(last) < int(first):
        return None
    return int(first), end if int(first) >= found.begin else int(first)
