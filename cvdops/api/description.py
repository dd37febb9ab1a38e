"""What the API is, as OpenAPI 3.1: what each call takes, needs and answers, with an example of each body."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from ninja import NinjaAPI

from cvdops.access.marks import Access
from cvdops.access.policy import Action
from cvdops.access.tokens import scope_for
from cvdops.api.answers import ANSWERS
from cvdops.api.examples import BODIES, PLACES, QUERIES, SHELL, THERE
from cvdops.api.fields import FIELDS
from cvdops.api.links import LINKS
from cvdops.lib.problems import ROOT

Operation = dict[str, Any]

TEXT = (
    "Errors are problem documents (RFC 9457) with a stable `code`; a refusal has `reasons`, what does not "
    "fit has `problems`. Times are RFC 3339 in UTC. Lists are read a page at a time by `cursor`. The scope "
    "that a token needs stands at each call. An address that is asked by a method that stands not here "
    "answers 405 with `Allow`."
)
_PROBLEM = {
    "title": "Problem",
    "description": "What could not be done, and what to do next (RFC 9457).",
    "type": "object",
    "required": ["title", "status", "code", "detail"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "It stays, whatever becomes of the texts."},
        "detail": {"type": "string"},
        "reasons": {"type": "array", "items": {"$ref": "#/components/schemas/ReasonShape"}},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
    "examples": [
        {
            "title": "Nothing here",
            "status": 404,
            "code": "not_found",
            "detail": "There is no such runbook, or you may not see it.",
        }
    ],
}
_READING = {
    400: "That could not be read.",
    401: "Nobody, or a token that opens nothing.",
    403: "The policy or the scope of the token says no.",
    404: "There is none, or not for you.",
    422: "A field or parameter does not fit.",
    429: "Too many calls: see `Retry-After`.",
    500: "The portal is broken, and its log says how.",
    503: "The portal has too much to do, or no database: see `Retry-After`.",
}
_SENDING = {
    **_READING,
    409: "As things stand it cannot be done: somebody was first, or it has moved on.",
    413: "More than 2 MB.",
    415: "The body does not say that it is JSON.",
}
# Operation id → what it answers besides.
BESIDES: Mapping[str, Mapping[int, str]] = {
    "catalog.sync": {502: "The source of the runbooks cannot be read."},
    "output.step_search": {410: "It is not kept any more."},
    "output.step_output": {
        410: "It is not kept any more.",
        416: "The `Range` begins behind the end: see `Content-Range`.",
    },
}
_UNCHANGED = {"description": "Nothing is new since the answer with the `ETag` of `If-None-Match`."}
_LOCATION = {
    "schema": {"type": "string"},
    "description": "The path at which that is read which was made, or what it is a part of.",
}
_STREAMS = frozenset({"text/event-stream", "text/csv"})  # what is made while it is sent has no tag
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A text of your own, new for each thing that you want done: sent again, it has one effect.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def describe(api: NinjaAPI, marks: Mapping[str, Access]) -> dict[str, Any]:
    """The whole description. `marks`: what each call asks for, by its operation id."""
    schema: dict[str, Any] = api.get_openapi_schema(path_prefix=ROOT)
    schema["info"]["description"] = TEXT
    schema["components"]["schemas"]["Problem"] = _PROBLEM
    schema["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
        "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
    }
    for calls in schema["paths"].values():
        for call in calls.values():
            for parameter in call[
                "parameters"
            ]:  # which shares it with a shape that says other things
                parameter["schema"] = dict(parameter["schema"])
    for name, shape in schema["components"]["schemas"].items():
        for field, what in shape.get("properties", {}).items():
            _say(what, name, field)
    for calls in schema["paths"].values():
        for method, call in calls.items():
            _complete(call, method, marks[call["operationId"]])
    return schema


def _say(what: dict[str, Any], whose: str, name: str) -> None:
    """What a field or parameter is, unless that stands where it is made."""
    said = FIELDS.get(f"{whose}.{name}") or FIELDS.get(name)
    if said and "description" not in what:
        what["description"] = said


def _complete(call: Operation, method: str, mark: Access) -> None:
    call["summary"] = call["description"].partition("\n")[0].partition(". ")[0].rstrip(".")
    action = mark.posting if method == "post" and mark.posting else mark.action
    if action is Action.PUBLIC:
        call["security"] = []
    else:
        scope = scope_for(action)
        call["security"] = [{"token": [scope] if scope else []}, {"session": []}]
        call["x-scope"] = scope
    asked = dict(parse_qsl(QUERIES.get(call["operationId"], "")))
    for parameter in call["parameters"]:
        if parameter["in"] == "path":
            said, example = PLACES[parameter["name"]]
            example = THERE.get(call["operationId"], {}).get(parameter["name"], example)
            parameter |= {"description": said, "example": example}
        else:
            _say(parameter, call["operationId"], parameter["name"])
            if given := asked.get(parameter["name"]):
                execution = given == SHELL["execution_id"]
                parameter["example"] = PLACES["execution_id"][1] if execution else given
    if method == "post" and action is not Action.PUBLIC:
        call["parameters"].append(_KEY)
    if method == "get" and not _STREAMS & call["responses"].get(200, {}).get("content", {}).keys():
        call["responses"].setdefault(304, _UNCHANGED)
    for status, text in (_SENDING if method == "post" else _READING).items():
        call["responses"].setdefault(status, _answer(status, text))
    for status, text in BESIDES.get(call["operationId"], {}).items():
        call["responses"][status] = _answer(status, text)
    if made := call["responses"].get(201):
        made.setdefault("headers", {})["Location"] = _LOCATION
    for status, links in LINKS.get(call["operationId"], {}).items():
        call["responses"][status]["links"] = dict(links)
    for answered, value in ANSWERS.get(call["operationId"], {}).items():
        kind = "text/csv" if isinstance(value, str) else "application/json"
        call["responses"][int(answered)]["content"][kind]["example"] = value
    if (body := BODIES.get(call["operationId"])) is not None:
        call["requestBody"]["content"]["application/json"]["examples"] = {"one": {"value": body}}


def _answer(status: int, text: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    found: dict[str, Any] = {"description": text, "content": content}
    if status in {429, 503}:
        seconds = {"schema": {"type": "integer"}, "description": "Seconds to wait."}
        found["headers"] = {"Retry-After": seconds}
    return found
