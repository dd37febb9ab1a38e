"""The output of a step: parts of it for the page, words looked for in all of it, and as a file."""

from collections.abc import AsyncGenerator, Iterator
from uuid import UUID

from django.db import connections
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.executions import output
from cvdops.executions.models import StepAttempt, StepRun
from cvdops.executions.queries import get_outline, get_step, matter
from cvdops.live.answers import WITHHELD, is_answer, reads_answers
from cvdops.live.download import PIECE, pieces
from cvdops.live.plain import LONGEST, plain
from cvdops.live.search import search
from cvdops.web.live.reading import attempt_of, part
from cvdops.web.live.tail import removed
from cvdops.web.templatetags.live import as_json

TEXT = "text/plain; charset=utf-8"


@requires(Action.READ_EXECUTION)
def execution_lines(request: HttpRequest, execution_id: str, step_id: str) -> HttpResponse:
    """Some lines: `?at=`, `?before=` or `?after=` a byte, else the newest; `?times=1` with times."""
    step, readable = _step(request, execution_id, step_id)
    query = request.GET.dict()
    return JsonResponse(as_json(part(attempt_of(step, query), query, readable=readable)))


@requires(Action.READ_EXECUTION)
def execution_search(request: HttpRequest, execution_id: str, step_id: str) -> HttpResponse:
    """How many lines hold the words `?q=`, and where the newest of them begin.

    `until`: how much of the output was looked through, if the time did not suffice for all of it. `reached`:
    as far as which line, if the step is still writing.
    """
    step, readable = _step(request, execution_id, step_id)
    query = request.GET.dict()
    found = search(attempt_of(step, query), query.get("q", "") if readable else "")
    until = filesizeformat(found.until) if found.until is not None else ""
    told = {"total": found.total, "hits": found.hits, "until": until, "reached": found.reached}
    return JsonResponse({"words": found.words, **told})


def _step(request: HttpRequest, execution_id: str, step_id: str) -> tuple[StepRun, bool]:
    """The step, and whether this person may read what it wrote."""
    user = person(request)
    found = get_outline(user, execution_id)
    step = get_step(found, step_id)
    return step, not is_answer(step) or reads_answers(user, matter(found))


@requires(Action.READ_EXECUTION)
def execution_output(request: HttpRequest, execution_id: str, step_id: str) -> HttpResponseBase:
    """What a step wrote, byte for byte as stored; `?as=text` without colours, as it is shown.

    `?attempt=` for an earlier attempt.
    """
    step, readable = _step(request, execution_id, step_id)
    if not readable:
        return HttpResponse(WITHHELD, TEXT, status=403)
    attempt = attempt_of(step, request.GET.dict())
    begin, end = output.begin(attempt.pk), output.size(attempt.pk)
    if attempt.output_size and not end:
        return HttpResponse(removed(attempt), TEXT, status=410)
    clean = request.GET.get("as") == "text"
    name = _name(step, attempt, clean=clean)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
    }
    if end - begin <= PIECE:
        data = output.read(attempt.pk, begin, end - begin)
        return HttpResponse(plain(data) if clean else data, TEXT, headers=headers)
    connections.close_all()  # it may take long, and holds no connection meanwhile
    if clean:
        return StreamingHttpResponse(
            _lines(attempt.pk, begin, end), content_type=TEXT, headers=headers
        )
    headers["Content-Length"] = str(end - begin)
    return StreamingHttpResponse(pieces(attempt.pk, begin, end), content_type=TEXT, headers=headers)


def _name(step: StepRun, attempt: StepAttempt, *, clean: bool) -> str:
    execution = step.execution
    name = f"{execution.runbook_id}-{execution.number}-{step.key}-{attempt.number}"
    return name + ("-clean.txt" if clean else ".txt")


async def _lines(attempt: UUID, begin: int, end: int) -> AsyncGenerator[bytes, None]:
    """The same without colours. A line is made plain when all of it is there."""
    rest = b""
    async for piece in pieces(attempt, begin, end):
        *whole, rest = _split(rest + piece)
        for data in whole:
            yield plain(data).encode()
    yield plain(rest).encode()


def _split(data: bytes) -> Iterator[bytes]:
    """Whole lines, and what follows the last of them."""
    end = data.rfind(b"\n") + 1 or (len(data) if len(data) > LONGEST else 0)
    if end:
        yield data[:end]
    yield data[end:]
