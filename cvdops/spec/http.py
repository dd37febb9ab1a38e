"""The body of an `http` block: a request line, headers, a blank line, the content."""

import re
from dataclasses import dataclass

SAFE_METHODS = frozenset({"GET", "HEAD"})  # asking again changes nothing
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_REQUEST = re.compile(r"(?P<method>\S+)[ \t]+(?P<url>\S+)(?:[ \t]+HTTP/(?:1\.[01]|2))?[ \t]*")
_VARIABLE = r"\$\{[A-Za-z_]\w*\}"
_URL = re.compile(rf"(?:https?://[^\s/?#]+|{_VARIABLE})(?:[/?][^\s#]*)?", re.IGNORECASE)
_LONE_DOLLAR = re.compile(r"\$(?!\{[A-Za-z_]\w*\})")
_HEADER = re.compile(r"(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(?P<value>.*?)[ \t]*")
_OURS = frozenset(
    {
        "host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer",
        "expect", "accept-encoding",
    }
)  # fmt: skip


class RequestError(ValueError):
    """What is wrong with the request, as a sentence, and in which of its lines (from 0)."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """As it stands in the document: its `${NAME}` are not replaced."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    content: str = ""


def read(body: str) -> Request:
    """The request in the body; lines with # before the request line are comments. Raises RequestError."""
    lines = body.split("\n")
    first = next((i for i, text in enumerate(lines) if text.strip()[:1] not in ("", "#")), -1)
    if first < 0:
        raise RequestError(
            "There is no request: begin with a line such as GET ${BASE_URL}/health.", 0
        )
    method, url = _request_line(lines[first].strip(), first)
    end = next((i for i in range(first + 1, len(lines)) if not lines[i].strip()), len(lines))
    headers = tuple(_header(lines[i], i) for i in range(first + 1, end))
    content = "\n".join(lines[end + 1 :]).removesuffix("\n")
    if content.strip() and method in SAFE_METHODS:
        raise RequestError(f"A {method} request has no content.", end + 1)
    return Request(method=method, url=url, headers=headers, content=content)


def _request_line(line: str, number: int) -> tuple[str, str]:
    match = _REQUEST.fullmatch(line)
    if not match:
        raise RequestError("The request line has to be a method and an address.", number)
    if match["method"] not in METHODS:
        raise RequestError(f"The method has to be one of {', '.join(METHODS)}.", number)
    if not _URL.fullmatch(match["url"]):
        wanted = "http://, https:// or a variable such as ${BASE_URL}"
        raise RequestError(f"The address has to begin with {wanted} and have no # in it.", number)
    if "@" in re.split(r"[/?]", match["url"].split("://", 1)[-1], maxsplit=1)[0]:
        raise RequestError("The address may hold no user name and no password.", number)
    if _LONE_DOLLAR.search(match["url"]):
        raise RequestError("Write variables in an address as ${NAME}.", number)
    return match["method"], match["url"]


def _header(line: str, number: int) -> tuple[str, str]:
    match = _HEADER.fullmatch(line)
    if not match:
        raise RequestError("A header has to be “Name: value”; a blank line ends them.", number)
    if match["name"].lower() in _OURS:
        raise RequestError(
            f"The header {match['name']} is set by the portal: leave it out.", number
        )
    return match["name"], match["value"]
