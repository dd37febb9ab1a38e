"""One request and its answer, against a server that may be hostile."""

import socket
import time
from itertools import count

import pytest

from cvdops.runners.http import Broken, NotSent
from cvdops.runners.http.exchange import BODY
from tests.http_server import HttpServer, answer
from tests.ports import free_port
from tests.runners.http.asking import KEY, Asker, TooLong

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def test_what_is_sent() -> None:
    with HttpServer() as server:
        Asker().ask(f"POST {server.url}/a?b=c\nX-A: d\n\ncontent")
        assert server.last.decode().split("\r\n") == [
            "POST /a?b=c HTTP/1.1",
            f"Host: 127.0.0.1:{server.port}",
            "Connection: close",
            "Accept-Encoding: identity",
            "Content-Length: 7",
            "User-Agent: cvdops-runbooks",
            f"Idempotency-Key: {KEY}",
            "X-A: d",
            "",
            "content",
        ]


def test_a_key_of_the_documents_own_stays() -> None:
    with HttpServer() as server:
        Asker().ask(f"POST {server.url}\nIdempotency-Key: mine")
        assert b"\r\nIdempotency-Key: mine\r\n" in server.last
        assert KEY.encode() not in server.last


def test_the_answer_and_its_transcript() -> None:
    asker = Asker()
    told = answer(b'{"a": 1}', "201 Created", "Content-Type: application/json\r\nSet-Cookie: b\r\n")
    with HttpServer(told) as server:
        found = asker.ask(f"PUT {server.url}/x")
        assert (found.status, found.body) == (201, b'{"a": 1}')
        assert asker.transcript.decode() == (
            f"PUT {server.url}/x\n\nHTTP/1.1 201 Created\nContent-Type: application/json\n"
            'Content-Length: 8\n\n{"a": 1}'
        )


@pytest.mark.parametrize(
    "told",
    [
        CHUNKED + b"2\r\nab\r\n3;x=y\r\ncde\r\n0\r\nX: y\r\n\r\n",
        HEAD + b"\r\nabcde",  # until the end of the connection
        b"HTTP/1.0 200\r\n\r\nabcde",
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"abcde"),
    ],
)
def test_every_way_to_tell_the_length(told: bytes) -> None:
    with HttpServer(told) as server:
        assert Asker().ask(f"GET {server.url}").body == b"abcde"


def test_a_head_has_no_body() -> None:
    with HttpServer(HEAD + b"Content-Length: 99\r\n\r\n") as server:
        assert Asker().ask(f"HEAD {server.url}").body == b""


def test_redirects_are_not_followed() -> None:
    with HttpServer() as other, HttpServer() as server:
        server.answers = answer(b"", "302 Found", f"Location: {other.url}/\r\n")
        assert Asker().ask(f"GET {server.url}").status == 302
        assert other.requests == []


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with HttpServer() as proxy, HttpServer() as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        Asker().ask(f"GET {server.url}")
        assert proxy.requests == []


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 99999 X\r\n\r\n",
        HEAD + b"Content-Length: 10\r\n\r\nabc",
        CHUNKED + b"5\r\nab",
        CHUNKED + b"zz\r\n",
        CHUNKED + b"-5\r\nabc",
        HEAD + b"A: b\r\n" * 200 + b"\r\n",
        HEAD + b"A: " + b"b" * 100_000,
        b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\n" * 10_000,
    ],
    ids=range(11),
)
def test_what_is_no_answer(told: bytes) -> None:
    asker = Asker()
    with HttpServer(told) as server, pytest.raises(Broken):
        asker.ask(f"POST {server.url}\n\nx")
    assert asker.sent


def _endless(piece: bytes) -> object:
    def pour(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"\r\n" if piece == b"x" else CHUNKED + b"0\r\n")
        for _ in count():
            connection.sendall(piece * 10_000)

    return pour


def test_an_endless_body_is_cut_and_says_so() -> None:
    asker = Asker()
    with HttpServer(_endless(b"x")) as server:
        found = asker.ask(f"GET {server.url}")
    assert len(found.body) == BODY
    assert asker.transcript.endswith(b"and the rest was not read]\n")
    assert len(asker.transcript) < BODY + 1000


def test_endless_lines_after_the_body_end_with_the_time() -> None:
    with HttpServer(_endless(b"X: y\r\n")) as server, pytest.raises(TooLong):
        Asker(seconds=0.3).ask(f"GET {server.url}")


@pytest.mark.parametrize("head", [b"", HEAD, HEAD + b"Content-Length: 1000\r\n\r\n"])
def test_a_slow_answer_ends_with_the_time(head: bytes) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in count():
            connection.sendall(b"x")
            time.sleep(0.02)

    begun = time.monotonic()
    with HttpServer(drip) as server, pytest.raises(TooLong):
        Asker(seconds=0.3).ask(f"GET {server.url}")
    assert time.monotonic() - begun < 10  # the server would go on for ever


def test_a_server_that_does_not_read_ends_with_the_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(TooLong):
        content = "x" * 20_000_000
        Asker(seconds=0.3).ask(f"POST http://127.0.0.1:{deaf.getsockname()[1]}\n\n{content}")


def test_a_server_that_answers_before_it_has_read_everything() -> None:
    def hasty(connection: socket.socket) -> None:
        connection.sendall(answer(b"too large", "413 Content Too Large"))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    with HttpServer(hasty) as server:
        assert Asker().ask(f"POST {server.url}\n\n{'x' * 5_000_000}").status == 413


def test_nobody_listens() -> None:
    asker = Asker()
    port = free_port()
    with pytest.raises(NotSent, match=f"127.0.0.1:{port} cannot be reached .*refused"):
        asker.ask(f"POST http://127.0.0.1:{port}\n\nx")
    assert not asker.sent
