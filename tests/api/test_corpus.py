"""S34: 300 strings that are commands elsewhere, as every parameter and text: no fault, no word, no delay."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from cvdops.api.examples import BODIES
from cvdops.api.urls import described
from tests.api.calls import call
from tests.api.described import CALLS, TAGS, text, there, undone

__all__ = ["text", "there"]

QUOTES = ("'", '"', "`", "')", '")', "';", "\\'", "%27", "''", "$$", "\\", "/*", "*/", "--", "#")
COMMANDS = (
    " OR 1=1--", " OR pg_sleep(9)--", ";SELECT pg_sleep(9)--", " UNION SELECT NULL,NULL--",
    " AND 1=CAST((SELECT version()) AS int)--", ";DROP TABLE accounts_user--", "||(SELECT 1)||",
    " ORDER BY 99--", ") AND (SELECT 1 FROM pg_sleep(9))=1--", "{{7*7}}", "${7*7}", "%s%s%n",
    "../../etc/passwd", "|id", "$(sleep 9)", "<script>alert(1)</script>", "__class__", "%",
    "&|!:*<->", "\U0001f600" * 50,
)  # fmt: skip
CORPUS = [quote + command for quote, command in itertools.product(QUOTES, COMMANDS)]
TOLD = (b"syntax", b"Traceback", b"psycopg", b"DataError", b"pg_catalog", b"PostgreSQL")
PATIENCE = 8  # seconds of one statement, fewer than the strings would sleep
SHORT = 2  # of the strings for each place; among all places each of them is used


@dataclass(frozen=True)
class Place:
    """Where a caller can put text: in the address, behind its question mark, in the body."""

    call: dict[str, Any]
    within: str  # path, query, body
    name: str


def places(tag: str) -> Iterator[Place]:
    for one in CALLS:
        if one["tags"] != [tag]:
            continue
        for parameter in one["parameters"]:
            if parameter["in"] in {"path", "query"}:
                yield Place(one, parameter["in"], parameter["name"])
        for name, shape in fields(one).items():
            if is_text(shape):
                yield Place(one, "body", name)


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


ALL = list(itertools.chain.from_iterable(map(places, TAGS)))


def test_every_string_and_every_place_is_tried() -> None:
    assert len(CORPUS) == 300
    used = {string for number in range(len(ALL)) for string in some(number)}
    assert used == set(CORPUS)
    assert len(ALL) > 150


def some(number: int) -> list[str]:
    """Those for the place of this number, far from each other in the list."""
    return [CORPUS[(number * SHORT + one) * 37 % len(CORPUS)] for one in range(SHORT)]


@pytest.mark.parametrize("tag", TAGS)
def test_no_string_is_more_than_a_string(tag: str, text: str, there: dict[str, Any]) -> None:
    with quickly():
        for place in places(tag):
            for string in some(ALL.index(place)):
                sent(place, string, text, there)


@pytest.mark.faults
@pytest.mark.parametrize("tag", TAGS)
def test_no_string_at_any_place(tag: str, text: str, there: dict[str, Any]) -> None:
    with quickly():
        for place in places(tag):
            for string in CORPUS:
                sent(place, string, text, there)


class quickly:  # noqa: N801 — it reads as a word of its sentence
    """A statement that sleeps fails, and its call answers 503."""

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{PATIENCE}s'")

    def __exit__(self, *_error: object) -> None:
        pass


def sent(place: Place, string: str, text: str, there: dict[str, Any]) -> None:
    one, path = place.call, place.call["path"].removeprefix("/api/v1/")
    query, body = {}, dict(BODIES.get(one["operationId"], {}))
    for parameter in one["parameters"]:
        if parameter["in"] == "path":
            known = string if parameter["name"] == place.name else str(there[parameter["name"]])
            path = path.replace(f"{{{parameter['name']}}}", known)
    if place.within == "query":
        query = {place.name: string}
    if place.within == "body":
        body[place.name] = string
    with undone():
        answer = call(text, one["method"].upper(), path, body, **query)
    said = (one["operationId"], place.name, string, answer.status_code)
    assert answer.status_code < 500, said
    assert answer.status_code in {*map(int, one["responses"]), 301, 405}, (*said, answer.content)
    assert answer.status_code < 300 or not any(word in answer.content for word in TOLD), said
