"""What the description says of each call, field and parameter, and the page that shows it."""

from typing import Any

import pytest
from django.test import Client

from cvdops.api.fields import FIELDS
from cvdops.api.templatetags.api import coded
from cvdops.api.urls import described
from tests.api.calls import ROOT, call, get, token
from tests.api.described import CALLS
from tests.cast import person
from tests.web.world import World

# What their names say, of whatever it is.
FILES = {"history.file", "audit.file"}  # made while they are sent
PLAIN = {"description", "detail", "email", "username"}
SHAPES: dict[str, Any] = described()["components"]["schemas"]


def said() -> dict[str, dict[str, Any]]:
    """Every field of a shape, and every parameter behind a question mark."""
    fields = {
        f"{shape}.{name}": what
        for shape, found in SHAPES.items()
        for name, what in found.get("properties", {}).items()
    }
    asked = {
        f"{one['operationId']}.{parameter['name']}": parameter
        for one in CALLS
        for parameter in one["parameters"]
        if parameter["in"] == "query"
    }
    return {**fields, **asked, "events.events.after": {"description": "It is no call of CALLS."}}


def test_every_field_and_parameter_says_what_it_is() -> None:
    """In cvdops/api/fields/."""
    silent = {name for name, what in said().items() if not what.get("description")}
    assert {name for name in silent if name.rpartition(".")[2] not in PLAIN} == set()


def test_nothing_is_said_of_what_there_is_not() -> None:
    known = {*said(), *(name.rpartition(".")[2] for name in said())}
    assert sorted(FIELDS.keys() - known) == []


def test_every_status_of_reading_is_named() -> None:
    for one in CALLS:
        statuses = set(map(int, one["responses"]))
        assert {400, 401, 404, 429, 500, 503} <= statuses, one["operationId"]
        tagged = one["method"] == "get" and one["operationId"] not in FILES
        assert (304 in statuses) == tagged, one["operationId"]


@pytest.mark.parametrize(
    ("name", "status"),
    [("output.step_output", 410), ("output.step_output", 416), ("catalog.sync", 502)],
)
def test_so_are_those_of_one_call(name: str, status: int) -> None:
    (one,) = [one for one in CALLS if one["operationId"] == name]
    assert status in one["responses"]


def test_a_parameter_of_a_question_has_its_own_words() -> None:
    (one,) = [one for one in CALLS if one["operationId"] == "changes.changes"]
    (kind,) = [p for p in one["parameters"] if p["name"] == "kind"]
    assert "matrix" in kind["description"] and "hosts" not in kind["description"]


def test_who_has_the_description_gets_none_again(world: World) -> None:
    text = token("developer")
    first = call(text, "GET", "openapi.json")
    again = call(text, "GET", "openapi.json", headers={"if-none-match": first["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def test_the_page_lists_the_fields_of_bodies_and_answers(world: World) -> None:
    client = Client()
    client.force_login(person("developer"))
    page = client.get(f"{ROOT}docs").content.decode()
    start = page[page.index('id="executions.start"') : page.index('id="executions.execution"')]
    for name in ("version", "in_window", "emergency", "confirm_environment"):
        assert f'<code class="break">{name}</code>' in start, name
    assert '<a href="#shape-ExecutionDetail">' in start
    assert 'id="shape-ExecutionDetail"' in page
    assert "<code>confirmed</code> for every item" in start


def test_what_a_text_says_is_no_markup() -> None:
    assert coded("`a<b` and it`s") == "<code>a&lt;b</code> and it`s"


def test_the_description_is_what_is_sent(world: World) -> None:
    found = get(token("developer"), "openapi.json")
    shape = found["components"]["schemas"]["Start"]["properties"]
    assert shape["in_window"]["description"].startswith("Where nothing may be changed now")
