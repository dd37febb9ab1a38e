"""How bytes leave for a client: one that does not take them any more is dropped, and comes back or not."""

import asyncio
import re
import socket
import sys

from httptools import HttpParserInvalidMethodError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cvdops.lib.problems import ROOT, problem

STUCK = 20.0  # seconds for which a client may take nothing of what waits for it
UNSENT = 64 << 10  # bytes that the kernel keeps for a client beside those on their way
LONGEST_LINE = 4096  # bytes of what came that are looked at when it cannot be understood
_NO_HTTP = (
    "A header holds a character that none may hold, or the request is cut short. Send it without."
)
_NO_METHOD = "This address answers GET and HEAD, or POST."
_LINE = re.compile(rb"[!-~]+ (/[!-~]*) HTTP/")  # the first one of a request


class Delivery(HttpToolsProtocol):
    """A connection of the web server. What waits for a client stays small, and not for ever."""

    _stuck: asyncio.TimerHandle | None = None
    _came = b""  # last

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)

    def data_received(self, data: bytes) -> None:
        self._came = data[:LONGEST_LINE]
        super().data_received(data)

    def send_400_response(self, msg: str) -> None:
        """For what reaches no view: a program reads a problem document here, too.

        That is what is no HTTP, and a method that the parser has never heard of.
        """
        line = _LINE.match(self._came)
        if isinstance(sys.exception(), HttpParserInvalidMethodError) and line:
            url, status = line[1], "405 Method Not Allowed\r\nallow: GET, HEAD, POST"
            told = problem(405, "method", "That cannot be done here", _NO_METHOD)
        else:
            url, status = self.url, "400 Bad Request"
            told = problem(400, "unreadable", "That is no HTTP", _NO_HTTP)
        if not url.startswith(ROOT.encode()):
            super().send_400_response(msg)
            return
        head = f"{told['Content-Type']}\r\ncontent-length: {len(told.content)}"
        answer = f"HTTP/1.1 {status}\r\ncontent-type: {head}\r\nconnection: close\r\n\r\n"
        self.transport.write(answer.encode() + told.content)
        self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        # Not closed: that would wait until the client has taken everything.
        self._stuck = self.loop.call_later(STUCK, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _forget(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
