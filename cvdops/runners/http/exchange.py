"""One request and its answer, from the lookup of the name to the last byte that is kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from socket import socket
from typing import cast

from cvdops.lib.failpoints import failpoint
from cvdops.runners.http.lookup import Lookup, addresses, system_lookup
from cvdops.runners.http.trouble import Broken, Wait
from cvdops.runners.http.wire import Wire, connect
from cvdops.spec.filling import Filled

HEAD = 65_536  # bytes of an answer before its body
BODY = 1_000_000  # bytes of a body that are read and kept
CUT = f"\n[cut: the answer is longer than {BODY // 1_000_000} MB, and the rest was not read]\n"
_PIECE = 65_536
_SHOWN = ("Date", "Content-Type", "Content-Length", "Location", "Retry-After")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `head` is its status line and the headers that are shown."""

    status: int
    head: str
    body: bytes


class Exchange:
    """A request to an address that the caller has allowed. Redirects are not followed.

    `out` is given a transcript, piece by piece. `sent` tells whether the other side may have acted.
    """

    def __init__(
        self,
        request: Filled,
        key: str,
        wait: Wait,
        out: Callable[[bytes], None],
        lookup: Lookup = system_lookup,
    ) -> None:
        self._request = request
        self._key = key  # by which the other side knows a request that it was sent before
        self._wait = wait
        self._out = out
        self._lookup = lookup
        self.sent = False

    def run(self) -> Answer:
        """Send it and read what comes. Raises NotSent, Broken, and whatever `wait` raises."""
        origin = self._request.origin
        self._out(f"{self._request.method} {self._request.url}\n".encode())
        found = addresses(origin.host, origin.port, self._lookup, self._wait)
        with connect(origin, found, self._wait) as wire:
            self._send(wire)
            failpoint("request.sent")
            try:
                return self._answer(wire)
            except (HTTPException, OSError, ValueError) as error:
                raise Broken(_why(error)) from None

    def _send(self, wire: Wire) -> None:
        self.sent = True
        try:
            wire.send("\r\n".join(self._head()).encode() + b"\r\n\r\n" + self._request.content)
        except OSError:
            return  # it may have answered before it had read everything

    def _head(self) -> Iterator[str]:
        request = self._request
        yield f"{request.method} {request.target} HTTP/1.1"
        yield f"Host: {request.origin.authority}"
        yield "Connection: close"
        yield "Accept-Encoding: identity"
        if request.content or request.method in ("POST", "PUT", "PATCH"):
            yield f"Content-Length: {len(request.content)}"
        given = {name.lower() for name, _ in request.headers}
        if "user-agent" not in given:
            yield "User-Agent: cvdops-runbooks"
        if "idempotency-key" not in given:
            yield f"Idempotency-Key: {self._key}"
        for name, text in request.headers:
            yield f"{name}: {text}"

    def _answer(self, wire: Wire) -> Answer:
        wire.left = HEAD
        response = HTTPResponse(cast(socket, wire), method=self._request.method)
        response.begin()
        wire.left = None
        head = _shown(response)
        self._out(f"\n{head}\n".encode())
        return Answer(response.status, head, self._body(response))

    def _body(self, response: HTTPResponse) -> bytes:
        body = bytearray()
        while piece := response.read1(_PIECE):
            kept = piece[: BODY - len(body)]
            body += kept
            self._out(kept)
            if len(kept) < len(piece):
                self._out(CUT.encode())
                return bytes(body)
        if response.length:
            raise Broken("The connection ended before its answer was complete.")
        return bytes(body)


def _shown(response: HTTPResponse) -> str:
    version = "1.0" if response.version == 10 else "1.1"
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = ""
    lines = [f"HTTP/{version} {response.status} {phrase}".rstrip()]
    for name in _SHOWN:
        lines += [
            f"{name}: {' '.join(text.split())}" for text in response.headers.get_all(name, ())
        ]
    return "\n".join(lines) + "\n"


def _why(error: Exception) -> str:
    if isinstance(error, ConnectionError):
        return "The connection ended before an answer came."
    if isinstance(error, OSError):
        return f"The connection was lost: {error.strerror or error}."
    return "What came back is no answer in HTTP."
