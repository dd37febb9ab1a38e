"""The page of all calls: what each takes and answers, with an example, and a form that sends it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cvdops.access.marks import requires
from cvdops.access.policy import Action
from cvdops.api.curl import body, calls, curl


@dataclass(frozen=True, slots=True)
class Place:
    """A parameter: of the address, or behind its question mark."""

    name: str
    within: str  # path, query
    text: str
    example: str
    required: bool


@dataclass(frozen=True, slots=True)
class Call:
    id: str
    method: str
    path: str
    text: str
    scope: str
    places: tuple[Place, ...]
    body: str
    curl: str
    answers: tuple[tuple[str, str], ...]  # status and what it says


def shown(schema: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Call, ...]]]:
    """The calls by their tag."""
    for tag, found in groupby(calls(schema), key=lambda one: str(one[3]["tags"][0])):
        yield tag, tuple(_call(*one) for one in found)


def _call(name: str, method: str, path: str, call: Mapping[str, Any]) -> Call:
    return Call(
        id=name,
        method=method.upper(),
        path=path,
        text=call["description"],
        scope=call.get("x-scope") or "",
        places=tuple(
            Place(
                p["name"],
                p["in"],
                p.get("description", ""),
                str(p.get("example", "")),
                p.get("required", False),
            )
            for p in call["parameters"]
            if p["in"] in {"path", "query"}
        ),
        body=body(name),
        curl=curl(name, method, path),
        answers=tuple((str(s), a["description"]) for s, a in sorted(_by_status(call).items())),
    )


def _by_status(call: Mapping[str, Any]) -> dict[str, Any]:
    return {str(status): answer for status, answer in call["responses"].items()}


def page(schema: Mapping[str, Any]) -> Any:
    """The view of this description."""

    @requires(Action.USE_PORTAL)
    def docs(request: HttpRequest) -> HttpResponse:
        return render(request, "api/docs.html", {"groups": list(shown(schema))})

    return docs
