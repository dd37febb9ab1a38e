"""Asking a portal by its API: requests, problem documents, and trying again what may be tried again."""

import http.client
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPResponse
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urljoin
from urllib.request import HTTPRedirectHandler, Request, build_opener

from cvdops.client.following import Away
from cvdops.client.place import Place

TIMEOUT = 30.0  # seconds without a word
TRIES = 6
PIECE = 64 << 10  # bytes of a file that are in memory at once
LARGEST = 64 << 20  # bytes of an answer
LONGEST_REST = 60.0  # seconds: a portal that asks for more is told to somebody
UNAVAILABLE = 503
_LATER = frozenset({429, UNAVAILABLE})
_ROOT = "/api/v1/"
_ELSEWHERE = "Is CVDOPS_URL the address of a portal?"
_BROKEN = (URLError, http.client.HTTPException, OSError)


class Told(Exception):
    """The portal says no. `document` is its problem document; `status` the HTTP status."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.document = dict(document)
        super().__init__(_sentence(document))


class _StayHere(HTTPRedirectHandler):
    """A token goes to the address that somebody has named, and to no other."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a portal answers; of more bytes than were wanted, the first ones."""

    data: bytes
    headers: Message

    def json(self) -> Any:
        """Raises Told for what is no JSON."""
        try:
            return json.loads(self.data)
        except ValueError:
            raise Told(
                0, {"code": "unknown", "detail": f"What came is no JSON. {_ELSEWHERE}"}
            ) from None


class Portal:
    """One portal. Every method raises Told, and Away if it cannot be reached."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._opener = build_opener(_StayHere)

    def get(self, *path: str, **query: str | int | None) -> Any:
        return self._send(self._request("GET", path, query)).json()

    def fetch(self, *path: str, most: int, **query: str | int | None) -> Answer:
        """The answer to a GET, as it is; at most so many bytes of it."""
        return self._send(self._request("GET", path, query), most)

    def download(self, *path: str, **query: str | int | None) -> Iterator[bytes]:
        """A file of any length, piece by piece. Not tried again: what it breaks off in is no file."""
        with self._open(self._request("GET", path, query)) as answer:
            try:
                while piece := answer.read(PIECE):
                    yield piece
            except _BROKEN as error:
                raise self._away(error) from None

    def items(self, *path: str, limit: int, **query: str | int | None) -> Iterator[dict[str, Any]]:
        """Of a list, page by page, at most so many."""
        cursor: str | None = None
        while limit > 0:
            page = self.get(*path, **query, cursor=cursor)
            yield from page["items"][:limit]
            limit -= len(page["items"])
            cursor = page["next_cursor"]
            if not cursor:
                return

    def post(self, *path: str, body: Mapping[str, object]) -> Any:
        """Do something, once: an answer that is lost is asked for again by the same key."""
        request = self._request("POST", path, {})
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
        request.add_header("Idempotency-Key", str(uuid.uuid4()))
        return self._send(request).json()

    def stream(self, *path: str, last: str) -> IO[bytes]:
        """Server-sent events after this one; empty for those from now on. Not tried again here."""
        request = self._request("GET", path, {})
        request.add_header("Accept", "text/event-stream")
        if last:
            request.add_header("Last-Event-ID", last)
        return self._open(request)

    def page(self, path: str) -> str:
        """The address of a page of the portal."""
        return urljoin(f"{self._place.url}/", path)

    def _request(
        self, method: str, path: tuple[str, ...], query: Mapping[str, str | int | None]
    ) -> Request:
        given = {name: value for name, value in query.items() if value not in (None, "")}
        address = "/".join(quote(part, safe="") for part in path)
        tail = f"?{urlencode(given)}" if given else ""
        request = Request(f"{self._place.url}{_ROOT}{address}{tail}", method=method)  # noqa: S310
        request.add_header("Authorization", f"Bearer {self._place.token}")
        request.add_header("Accept", "application/json")
        return request

    def _send(self, request: Request, most: int = LARGEST) -> Answer:
        """Tried again where that has one effect: reading, and posting with a key."""
        for tries_left in reversed(range(TRIES)):
            try:
                with self._open(request) as answer:
                    return Answer(answer.read(most), answer.headers)
            except Told as error:
                rest = error.document.get("retry_after", 0.0)
                if error.status not in _LATER or rest > LONGEST_REST:
                    raise
                if not tries_left:
                    # What cannot work now is away for whoever waits; a limit is a limit.
                    raise self._away(error) if error.status == UNAVAILABLE else error from None
                time.sleep(max(rest, 0.5))
            except Away:
                if not tries_left:
                    raise
                time.sleep(0.5)
            except _BROKEN as error:  # in the middle of the answer
                if not tries_left:
                    raise self._away(error) from None
        raise AssertionError("unreachable")

    def _open(self, request: Request) -> HTTPResponse:
        try:
            answer: HTTPResponse = self._opener.open(request, timeout=TIMEOUT)
        except HTTPError as error:
            with error:
                raise _told(error) from None
        except _BROKEN as error:
            raise self._away(error) from None
        return answer

    def _away(self, error: Exception) -> Away:
        """Told: it answers that it cannot work now. All else: it cannot be reached."""
        if isinstance(error, Told):
            return Away(f"The portal at {self._place.url} cannot work now: {error}")
        why = getattr(error, "reason", None) or error
        return Away(f"The portal at {self._place.url} cannot be reached: {why}.")


def _told(error: HTTPError) -> Told:
    try:
        document = json.loads(error.read(1 << 20))
        known = isinstance(document, dict) and "detail" in document
    except (ValueError, *_BROKEN):
        known = False
    if not known:
        where = error.headers.get("Location")
        text = f"It answered {error.code}" + (f" and points to {where}" if where else "")
        document = {"code": "unknown", "detail": f"{text}. {_ELSEWHERE}"}
    after = error.headers.get("Retry-After", "")
    if after.isdecimal():
        document["retry_after"] = float(after)
    return Told(error.code, document)


def _problem(found: Mapping[str, Any]) -> str:
    """What is wrong with a field, which is named unless its message does."""
    field, message = str(found.get("field", "")), str(found.get("message", ""))
    known = not field or field.rpartition(".")[2] in message
    return message if known else f"{field}: {message}"


def _sentence(document: Mapping[str, Any]) -> str:
    """Everything that a problem document says, for people."""
    if reasons := document.get("reasons"):
        return "\n".join(f"{r.get('text', '')} {r.get('remedy', '')}".strip() for r in reasons)
    if problems := document.get("problems"):
        return "\n".join(map(_problem, problems))
    return str(document.get("detail", "The portal did not say why."))
