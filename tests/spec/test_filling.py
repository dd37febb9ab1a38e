"""Values in a request: each arrives as it is, or is refused by its name."""

import json
from collections.abc import Callable
from urllib.parse import parse_qs, unquote
from xml.etree import ElementTree

import pytest

from cvdops.spec.filling import Filled, FillError, fill, known_origin, readable
from cvdops.spec.http import read
from tests.hostile_values import HOSTILE, IMPOSSIBLE

BASE = "http://127.0.0.1:5000"
POST = "POST http://a/\nContent-Type: {}\n\n{}"


def filled(body: str, **values: str) -> Filled:
    return fill(read(body), values)


def header(request: Filled) -> str:
    return dict(request.headers)["X-Name"]


Read = Callable[[Filled], str]
PLACES: dict[str, tuple[str, Read]] = {
    "path": ("GET http://a/b/${NAME}/c", lambda r: unquote(r.target.split("/")[2])),
    "query": ("GET http://a/?q=${NAME}&r=1", lambda r: parse_qs(r.target[2:], True)["q"][0]),
    "header": ("GET http://a/\nX-Name: ${NAME}", header),
    "json": (
        POST.format("application/json", '{"a": ["${NAME}"], "b": 1}'),
        lambda r: json.loads(r.content)["a"][0],
    ),
    "problem": (
        POST.format("application/problem+json; charset=utf-8", '"${NAME}"'),
        lambda r: json.loads(r.content),
    ),
    "form": (
        POST.format("application/x-www-form-urlencoded", "q=${NAME}&r=1"),
        lambda r: parse_qs(r.content.decode(), True)["q"][0],
    ),
    "xml": (
        POST.format("application/xml", "<a b='${NAME}'>x</a>"),
        lambda r: ElementTree.fromstring(r.content).attrib["b"],  # noqa: S314 (our own)
    ),
    "text": (POST.format("text/plain", "a${NAME}b"), lambda r: r.content.decode()[1:-1]),
    "nothing": ("POST http://a/\n\na${NAME}b", lambda r: r.content.decode()[1:-1]),
}
each_place = pytest.mark.parametrize("place", PLACES)


@each_place
def test_hostile_values(place: str) -> None:
    body, value_in = PLACES[place]
    refused = 0
    for value in (*HOSTILE, *IMPOSSIBLE.values()):
        try:
            request = filled(body, NAME=value)
        except FillError as error:
            assert str(error).startswith("NAME "), value
            refused += 1
        else:
            assert value_in(request) == value
            assert request.target.isascii()
            assert not {"\r", "\n", " "} & set(request.target)
    assert refused < len(HOSTILE) / 2


@pytest.mark.parametrize("authority", ["${NAME}", "a.${NAME}:80", "a:${NAME}"])
def test_no_value_leads_out_of_host_and_port(authority: str) -> None:
    for value in HOSTILE:
        try:
            place = filled(f"GET http://{authority}/x", NAME=value).origin
        except FillError as error:
            assert str(error).startswith("NAME ")
        else:
            wanted = authority.replace("${NAME}", value).lower()
            assert place.address in (wanted, f"{wanted}:80")


@pytest.mark.parametrize(
    ("body", "url"),
    [
        ("GET ${BASE}", "http://127.0.0.1:5000/"),
        ("GET ${BASE}/health", "http://127.0.0.1:5000/health"),
        ("GET ${BASE}?a=b", "http://127.0.0.1:5000/?a=b"),
        ("GET ${FOLDER}/x", "https://h.example/base/x"),
        ("GET ${FOLDER}", "https://h.example/base/"),
        ("GET ${HOOK}", "https://h.example/x?t=1"),
        ("GET HTTP://A.Example:80", "http://a.example/"),
        ("GET http://[0:0::1]:80/ü%20?é", "http://[::1]/%C3%BC%20?%C3%A9"),
        ("GET http://a/b/../c", "http://a/b/../c"),
    ],
)
def test_addresses(body: str, url: str) -> None:
    values = {"FOLDER": "https://h.example/base/", "HOOK": "https://h.example/x?t=1"}
    assert filled(body, BASE=BASE, **values).url == url


@pytest.mark.parametrize(
    "base",
    [
        "",
        "127.0.0.1:5000",
        "ftp://a/",
        "file:///etc/passwd",
        "gopher://a:70/_x",
        "javascript://a/%0aalert(1)",
        "http://user@a/",
        "http://user:word@a",
        "http://a\r\nX-Evil: 1",
        "http://a/\nb",
        "http://a\\@b/",
        "http://a#b",
        "http://a/#b",
        "http://a:0/",
        "http://a:65536/",
        "http://a:80:80/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://ä/",
        "http://127。0。0。1/",
        "httpſ://a/",
        "http:/a/",
        "http:///a",
    ],
)
def test_what_is_no_address_is_refused_by_the_name_of_its_variable(base: str) -> None:
    with pytest.raises(FillError, match=r"^BASE makes no address of a server"):
        filled("GET ${BASE}/x", BASE=base)


@pytest.mark.parametrize("value", [".", ".."])
def test_no_value_leads_to_another_folder(value: str) -> None:
    with pytest.raises(FillError, match="leads elsewhere"):
        filled("GET http://a/b/${NAME}/c", NAME=value)
    with pytest.raises(FillError, match="leads elsewhere"):
        filled("GET http://a/b/.${NAME}", NAME=".")


@pytest.mark.parametrize("value", ["0", "-12", "1.5e3", "true", "null"])
def test_in_json_a_number_may_stand_without_quotes(value: str) -> None:
    request = filled(POST.format("application/json", '{"a": ${NAME}}'), NAME=value)
    assert json.loads(request.content) == {"a": json.loads(value)}


@pytest.mark.parametrize("value", ["", "01", "1, 2", '1, "b": 2', "NaN", "word", "[]", "１"])
def test_in_json_anything_else_needs_them(value: str) -> None:
    with pytest.raises(FillError, match=r"^NAME is no number"):
        filled(POST.format("application/json", '{"a": "x", "b": ${NAME}}'), NAME=value)


def test_a_media_type_that_is_not_known_takes_no_values() -> None:
    with pytest.raises(FillError, match="cannot be put into multipart/form-data"):
        filled(POST.format("multipart/form-data", "${NAME}"), NAME="a")


def test_a_variable_without_a_value_is_named() -> None:
    with pytest.raises(FillError, match="NAME has no value"):
        filled("GET http://a/${NAME}")


def test_where_it_goes_is_known_as_soon_as_it_can_be() -> None:
    request = read("GET ${BASE}/${LATER}")
    place = known_origin(request, {"BASE": BASE})
    assert place is not None
    assert place.address == "127.0.0.1:5000"
    assert known_origin(request, {"LATER": "x"}) is None


def test_for_people_what_is_not_known_stays_a_variable() -> None:
    request = read("GET ${BASE}/${NAME}")
    assert readable(request, {"BASE": BASE, "NAME": "a b"}) == f"GET {BASE}/a%20b"
    assert readable(request, {"BASE": BASE}) == f"GET {BASE}/${{NAME}}"
    assert readable(request, {"NAME": "a b"}) == "GET ${BASE}/${NAME}"
