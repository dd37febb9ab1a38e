"""The body of an `http` block."""

import pytest

from cvdops.spec.http import Request, RequestError, read
from cvdops.spec.parser import parse
from tests.spec.documents import annotated


def test_a_request_is_taken_apart() -> None:
    body = "# Restart it\nPOST ${BASE_URL}/restart?now=1 HTTP/1.1\nX-A:  b c \n\n{\n\n}\n"
    assert read(body) == Request(
        method="POST",
        url="${BASE_URL}/restart?now=1",
        headers=(("X-A", "b c"),),
        content="{\n\n}",
    )


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("", 0),
        ("# only a comment\n", 0),
        ("FETCH http://a/\n", 0),
        ("get http://a/\n", 0),
        ("GET\n", 0),
        ("GET /health\n", 0),
        ("GET file:///etc/passwd\n", 0),
        ("GET http:///x\n", 0),
        ("GET http://a/#b\n", 0),
        ("GET http://user:word@a/\n", 0),
        ("GET http://a/$NAME\n", 0),
        ("GET http://a/ HTTP/9\n", 0),
        ("HTTP/1.1 200 OK\n", 0),
        ("GET http://a/\nno header\n", 1),
        ("GET http://a/\nA: b\nHost: c\n", 2),
        ("GET http://a/\n\ncontent\n", 2),
    ],
)
def test_what_is_no_request_says_where(body: str, line: int) -> None:
    with pytest.raises(RequestError) as error:
        read(body)
    assert error.value.line == line


def test_in_an_annotated_document_it_is_an_error_at_its_line() -> None:
    runbook = parse(annotated(procedures="```http\nGET http://a/\nno header\n```"))
    assert [(d.code, d.line) for d in runbook.diagnostics] == [("RB206", 10)]


def test_in_a_plain_document_it_is_shown_and_not_run() -> None:
    runbook = parse("# T\n\n## Procedures\n```http\nHTTP/1.1 200 OK\n```\n")
    assert runbook.steps == ()
    assert [(d.code, d.line) for d in runbook.diagnostics] == [("RB212", 4), ("RB307", 1)][::-1]
