"""S34: 300 strings that are commands elsewhere, as every parameter and text: no fault, no word, no delay."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from cvdops.api.examples import BODIES
from cvdops.api.urls import described
from tests.api.described import CALLS, TAGS, quiet, text, there, undone
from tests.api.wild import CORPUS

__all__ = ["quiet", "text", "there"]

TOLD = (b"syntax", b"Traceback", b"psycopg", b"DataError", b"pg_catalog", b"PostgreSQL")
PATIENCE = 8  # seconds of one statement, fewer than the strings would sleep
SHORT = 2  # of the strings for each place; among all places each of them is used


@dataclass(frozen=True, eq=False)
class Place:
    """Where a caller can put text: in the address, behind its question mark, in the body."""

    call: dict[str, Any]
    within: str  # path, query, body
    name: str


def places_of(one: dict[str, Any]) -> Iterator[Place]:
    for parameter in one["parameters"]:
        if parameter["in"] in {"path", "query"}:
            yield Place(one, parameter["in"], parameter["name"])
    for name, shape in fields(one).items():
        if is_text(shape):
            yield Place(one, "body", name)


class Asker:
    """Asks by this token, about what is there; nothing is changed."""

    def __init__(self, text: str, there: dict[str, Any]) -> None:
        self._there = there
        self._headers = {"authorization": f"Bearer {text}"}
        self._client = Client(raise_request_exception=False, enforce_csrf_checks=True)

    def __call__(self, given: dict[Place, str]) -> HttpResponse:
        """What a call is answered with these strings at its places, which is held to what is promised."""
        one = next(iter(given)).call
        within = {
            part: {place.name: string for place, string in given.items() if place.within == part}
            for part in ("path", "query", "body")
        }
        path = one["path"]
        for parameter in one["parameters"]:
            if (name := parameter["name"]) in self._there and parameter["in"] == "path":
                path = path.replace(f"{{{name}}}", within["path"].get(name, str(self._there[name])))
        said: dict[str, Any] = {"headers": self._headers, "query_params": within["query"]}
        if one["method"] == "post":
            body = {**BODIES.get(one["operationId"], {}), **within["body"]}
            said |= {"data": body, "content_type": "application/json"}
        with undone():
            answer: HttpResponse = getattr(self._client, one["method"])(path, **said)
        hold(one, answer, str({place.name: string for place, string in given.items()}))
        return answer


def hold(one: dict[str, Any], answer: HttpResponse, given: str) -> None:
    said = (one["operationId"], given, answer.status_code)
    assert answer.status_code < 500, said
    assert answer.status_code in {*map(int, one["responses"]), 301, 405}, (*said, answer.content)
    assert answer.status_code < 300 or not any(word in answer.content for word in TOLD), said


def fields(one: dict[str, Any]) -> dict[str, Any]:
    """Those of the body."""
    shape = one.get("requestBody", {}).get("content", {}).get("application/json", {})
    return dict(resolved(shape.get("schema", {})).get("properties", {}))


def resolved(shape: dict[str, Any]) -> dict[str, Any]:
    if "allOf" in shape:
        shape = shape["allOf"][0]
    name = shape.get("$ref", "").rpartition("/")[2]
    return dict(described()["components"]["schemas"][name]) if name else shape


def is_text(shape: dict[str, Any]) -> bool:
    choices = [resolved(one) for one in shape.get("anyOf", [shape])]
    return any(one.get("type") == "string" for one in choices)


ALL = list(chain.from_iterable(map(places_of, CALLS)))


def test_every_string_and_every_place_is_tried() -> None:
    assert len(CORPUS) == 300
    used = {string for number in range(len(ALL)) for string in some(number)}
    assert used == set(CORPUS)
    assert len(ALL) > 150


def some(number: int) -> list[str]:
    """Those for the place of this number, far from each other in the list."""
    return [CORPUS[(number * SHORT + one) * 37 % len(CORPUS)] for one in range(SHORT)]


@pytest.mark.parametrize("tag", TAGS)
def test_no_string_is_more_than_a_string(
    tag: str, text: str, there: dict[str, Any], quiet: None
) -> None:
    ask = Asker(text, there)
    with quickly():
        for number, place in enumerate(ALL):
            if place.call["tags"] == [tag]:
                for string in some(number):
                    ask({place: string})


@pytest.mark.faults
@pytest.mark.parametrize("name", [one["operationId"] for one in CALLS if list(places_of(one))])
def test_no_string_at_any_place(name: str, text: str, there: dict[str, Any], quiet: None) -> None:
    """All of them at each place of the call; at several places at once where each of them counts."""
    ask = Asker(text, there)
    (one,) = [one for one in CALLS if one["operationId"] == name]
    with quickly():
        taken, named, others = sorted_out(ask, list(places_of(one)))
        for number in range(len(CORPUS)):
            for place in others:
                ask({place: CORPUS[number]})
            given = each(taken, number)
            if given and ask(given).status_code >= 300:
                for place, string in given.items():
                    ask({place: string})
            given = each(named, number)
            told = refused(ask(given)) if given else set()
            for place, string in given.items():
                if place.name not in told:
                    ask({place: string})


def each(places: list[Place], number: int) -> dict[Place, str]:
    """A string for each, in each round another one."""
    return {place: CORPUS[(number + 37 * at) % len(CORPUS)] for at, place in enumerate(places)}


def sorted_out(ask: Asker, found: list[Place]) -> tuple[list[Place], list[Place], list[Place]]:
    """Those that take any string, those of which the answer says that it is wrong there, and the others."""
    taken, named, others = [], [], []
    for place in found:
        answer = ask({place: CORPUS[0]})
        if place.within == "path":
            others.append(place)
        elif answer.status_code < 300:
            taken.append(place)
        else:
            (named if place.name in refused(answer) else others).append(place)
    return taken, named, others


def refused(answer: HttpResponse) -> set[str]:
    """The fields that an answer names."""
    if answer.status_code != 422:
        return set()
    return {one["field"].partition(".")[0] for one in answer.json().get("problems", [])}


class quickly:  # noqa: N801 — it reads as a word of its sentence
    """A statement that sleeps fails, and its call answers 503."""

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{PATIENCE}s'")

    def __exit__(self, *_error: object) -> None:
        pass
