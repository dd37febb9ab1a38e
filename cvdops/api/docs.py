"""The page of all calls: what each takes and answers, with an example, and a form that sends it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from cvdops.access.marks import requires
from cvdops.access.policy import Action
from cvdops.api.curl import body, calls, curl
from cvdops.api.shapes import Field, fields, shape_of, shapes


@dataclass(frozen=True, slots=True)
class Place:
    """A parameter: of the address, or behind its question mark."""

    name: str
    within: str  # path, query
    text: str
    example: str
    required: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, what it says, and the shape of what comes with it; empty: none."""

    status: str
    text: str
    shape: str


@dataclass(frozen=True, slots=True)
class Call:
    id: str
    method: str
    path: str
    text: str
    scope: str
    places: tuple[Place, ...]
    fields: Sequence[Field]  # of its body
    body: str
    rows: int  # lines of the body
    curl: str
    answers: tuple[Answer, ...]


def shown(schema: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Call, ...]]]:
    """The calls by their tag."""
    for tag, found in groupby(calls(schema), key=lambda one: str(one[3]["tags"][0])):
        yield tag, tuple(_call(schema, *one) for one in found)


def _call(
    schema: Mapping[str, Any], name: str, method: str, path: str, call: Mapping[str, Any]
) -> Call:
    example = _spread(body(name))
    return Call(
        id=name,
        method=method.upper(),
        path=path,
        text=call["description"],
        scope=call.get("x-scope") or "",
        places=tuple(_place(p) for p in call["parameters"] if p["in"] in {"path", "query"}),
        fields=fields(schema, shape_of(call.get("requestBody", {}))),
        body=example,
        rows=max(4, example.count("\n") + 1),
        curl=curl(name, method, path),
        answers=tuple(
            Answer(str(status), answer["description"], shape_of(answer))
            for status, answer in sorted(call["responses"].items(), key=lambda one: str(one[0]))
        ),
    )


def _place(given: Mapping[str, Any]) -> Place:
    return Place(
        name=given["name"],
        within=given["in"],
        text=given.get("description", ""),
        example=str(given.get("example", "")),
        required=given.get("required", False),
    )


def _spread(example: str) -> str:
    """The body as one reads and changes it: a field a line."""
    return json.dumps(json.loads(example), indent=2) if example else ""


def page(described: Callable[[], Mapping[str, Any]]) -> Any:
    """The view of this description, which takes a second to make: only who shows it waits for it."""

    @cache
    def listed() -> SafeString:
        """The same for everybody, and drawn once."""
        schema = described()
        context = {"groups": tuple(shown(schema)), "shapes": tuple(shapes(schema))}
        return render_to_string("api/_calls.html", context)

    @requires(Action.USE_PORTAL)
    def docs(request: HttpRequest) -> HttpResponse:
        """Every call, for people."""
        return render(request, "api/docs.html", {"calls": listed()})

    return docs
