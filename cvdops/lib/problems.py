"""Errors as the API tells them: problem documents (RFC 9457), each with a stable code."""

import json
from dataclasses import asdict

from django.http import HttpRequest, HttpResponse

from cvdops.lib.errors import Invalid, Refused, TooMany, UserError

ROOT = "/api/v1/"  # what lies below is asked by programs
PAGE = f"{ROOT}docs"  # but this, which people read


def asked_for(request: HttpRequest) -> bool:
    """Whether a program asks, to which no page can be shown."""
    return request.path_info.startswith(ROOT) and request.path_info != PAGE


def problem(status: int, code: str, title: str, detail: str, **more: object) -> HttpResponse:
    """A problem document. `title` is the same for every problem of this code; `detail` says what to do."""
    told = {"title": title, "status": status, "code": code, "detail": detail, **more}
    content = json.dumps(told, ensure_ascii=False)
    return HttpResponse(content, status=status, content_type="application/problem+json")


def explained(error: UserError) -> HttpResponse:
    """What a person asked for that cannot be done: with every reason, and every field that is wrong."""
    more: dict[str, object] = {}
    if isinstance(error, Refused):
        more["reasons"] = [asdict(reason) for reason in error.reasons]
    if isinstance(error, Invalid):
        more["problems"] = [asdict(found) for found in error.problems]
    answer = problem(error.status, error.code, error.title, str(error), **more)
    if isinstance(error, TooMany):
        answer["Retry-After"] = str(error.wait)
    return answer


def unknown(code: str, detail: str) -> HttpResponse:
    """For somebody who did not show who they are."""
    response = problem(401, code, "Show who you are", detail)
    response["WWW-Authenticate"] = "Bearer"
    return response
