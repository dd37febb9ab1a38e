"""Requests that are made to be read in two ways, or to take long: one meaning, and a true address."""

import re
import socket

import pytest

from cvdops.audit.models import AuditEntry
from tests.live.viewer import Visitor

HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def answers(port: int, request: bytes) -> list[int]:
    """The status of each answer to these bytes, until the server ends the connection."""
    came = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        try:
            while part := connection.recv(1 << 16):
                came += part
        except ConnectionResetError:
            pass  # it did not even want to read all of it
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", came)]


def post(*headers: str, body: bytes = b"") -> bytes:
    lines = ["POST /login/ HTTP/1.1", "Host: localhost", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    "request_",
    [
        post("Content-Length: 6", "Transfer-Encoding: chunked", body=b"0\r\n\r\n" + HIDDEN),
        post("Transfer-Encoding: chunked", "Content-Length: 5", body=b"0\r\n\r\n" + HIDDEN),
        post("Content-Length: 0", f"Content-Length: {len(HIDDEN)}", body=HIDDEN),
        post("Transfer-Encoding: xchunked", "Content-Length: 0", body=HIDDEN),
        post("Transfer-Encoding : chunked", body=b"0\r\n\r\n" + HIDDEN),
        post("Transfer-Encoding: chunked", "Transfer-Encoding: x", body=b"0\r\n\r\n" + HIDDEN),
        post("Content-Length: +0", body=HIDDEN),
        post("X: y\nContent-Length: 0", body=HIDDEN),
        post(" Content-Length: 0", body=HIDDEN),
    ],
)
def test_nothing_hides_behind_a_request(server: int, request_: bytes) -> None:
    assert answers(server, request_) == [400]


@pytest.mark.parametrize(
    "name", ["X_Forwarded_For", "X-Forwarded_For", "Remote_Addr", "REMOTE_USER"]
)
def test_nobody_takes_an_address_by_the_spelling_of_a_header(visitor: Visitor, name: str) -> None:
    wanted = f"GET /audit/ HTTP/1.1\r\nHost: localhost\r\n{name}: 203.0.113.9\r\n"
    wanted += f"Cookie: sessionid={visitor.session}\r\nConnection: close\r\n\r\n"
    assert answers(visitor.port, wanted.encode()) == [403]
    assert {entry.address for entry in AuditEntry.objects.filter(allowed=False)} == {"127.0.0.1"}


@pytest.mark.parametrize("header", ["Host: localhost", "Cookie: a=b", "X-Forwarded-For: 10.0.0.6"])
def test_ten_thousand_of_a_header_are_refused_or_read_at_once(server: int, header: str) -> None:
    request = post(*[header] * 10_000, "Content-Length: 0", "Connection: close")
    (status,) = answers(server, request)
    assert status in {400, 403, 431}


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost@evil.example", "localhost:x", "", "[::1"]
)
def test_another_host_is_refused(server: int, host: str) -> None:
    request = f"GET /login/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    assert answers(server, request.encode()) == [400]
