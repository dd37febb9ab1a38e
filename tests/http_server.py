"""A web server of the test process, as honest or as hostile as the test wants it."""

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

Answer = Callable[[socket.socket], None]


def answer(body: bytes = b"ok", status: str = "200 OK", head: str = "") -> bytes:
    """An ordinary answer."""
    length = f"Content-Length: {len(body)}\r\n"
    return f"HTTP/1.1 {status}\r\n{head}{length}\r\n".encode() + body


OK = answer()


class HttpServer:
    """Takes requests on a port of its own; every request is kept, and gets what `answers` says."""

    def __init__(
        self,
        answers: bytes | Answer = OK,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
        greeting: bytes = b"",  # sent before anything was asked
    ) -> None:
        self.answers = answers
        self.requests: list[bytes] = []
        self._tls = tls
        self._greeting = greeting
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # closed before
            self._listener.shutdown(socket.SHUT_RDWR)  # closing alone would let one more in
        self._listener.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def last(self) -> bytes:
        return self.requests[-1]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                connection.sendall(self._greeting)
                self.requests.append(_read(connection))
                if isinstance(self.answers, bytes):
                    connection.sendall(self.answers)
                else:
                    self.answers(connection)


def _read(connection: socket.socket) -> bytes:
    """One request, with its content."""
    data = b""
    while b"\r\n\r\n" not in data and (piece := connection.recv(65536)):
        data += piece
    head, _, content = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(content) < length and (piece := connection.recv(65536)):
        content += piece
    return head + b"\r\n\r\n" + content
