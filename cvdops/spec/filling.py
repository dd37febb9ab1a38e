"""A request with its values put in: each encoded for its place, none able to get out of it."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote
from xml.sax.saxutils import escape

from cvdops.spec.http import Request
from cvdops.spec.origin import Origin, OriginError, origin

_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}")
_URL = re.compile(
    r"(?P<origin>https?://[^/?]+|\$\{\w+\})(?P<path>/[^?]*)?(?P<query>\?.*)?", re.IGNORECASE
)
_BASE = re.compile(r"(?P<origin>[^:]{1,5}://[^/?#]+)(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?")
_IN_PATH = "/:@!$&'()*+,;=~%"  # what an author may write there as it is
_IN_QUERY = _IN_PATH + "?"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_JSON = re.compile(rf'(?P<string>"(?:\\.|[^"\\])*+(?:"|\\?\Z))|{_VARIABLE.pattern}', re.DOTALL)
_SCALAR = re.compile(
    r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?|true|false|null"
)
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ENTITIES = {'"': "&quot;", "'": "&apos;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}

Values = Mapping[str, str]


class FillError(ValueError):
    """A value that does not fit where it is to stand, as a sentence that names the variable alone."""


class UnsetError(FillError):
    """A variable that has no value, or none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A request as it is sent. Nothing in it is to be encoded any more."""

    method: str
    origin: Origin
    target: str  # path and query, ASCII
    headers: tuple[tuple[str, str], ...]  # without control characters
    content: bytes

    @property
    def url(self) -> str:
        return f"{self.origin}{self.target}"


def fill(request: Request, values: Values) -> Filled:
    """Put the values in. Raises FillError."""
    place, target = _place(request.url, values)
    headers = tuple((name, _header(name, text, values)) for name, text in request.headers)
    kind = next((text for name, text in headers if name.lower() == "content-type"), "")
    content = _content(kind, request.content, values)
    return Filled(
        method=request.method,
        origin=place,
        target=target,
        headers=headers,
        content=content.encode(),
    )


def known_origin(request: Request, values: Values) -> Origin | None:
    """Where it goes; none if that depends on a variable without a value. Raises FillError."""
    try:
        return _beginning(_parts(request.url)["origin"], values)[0]
    except UnsetError:
        return None


def readable(request: Request, values: Values) -> str:
    """Method and address for people: variables without a value stay as they are."""
    names = _VARIABLE.findall(request.url)
    missing = {name: f"${{{name}}}" for name in names if name not in values}
    try:
        place, target = _place(request.url, {**values, **missing})
    except FillError:
        return f"{request.method} {request.url}"
    for text in missing.values():
        target = target.replace(quote(text, safe=""), text)
    return f"{request.method} {place}{target}"


def _parts(url: str) -> re.Match[str]:
    match = _URL.fullmatch(url)
    assert match  # noqa: S101 (the parser has looked)
    return match


def _put(text: str, values: Values, encode: Callable[[str, str], str]) -> str:
    return _VARIABLE.sub(lambda match: encode(match[1], _value(match[1], values)), text)


def _as_it_is(_name: str, value: str) -> str:
    return value


def _value(name: str, values: Values) -> str:
    if name not in values:
        raise UnsetError(f"{name} has no value: no variable and no earlier step sets it.")
    try:
        values[name].encode()
    except UnicodeEncodeError:
        raise FillError(f"{name} is not text: it cannot be sent.") from None
    return values[name]


def _quoted(_name: str, value: str) -> str:
    return quote(value, safe="")


def _place(url: str, values: Values) -> tuple[Origin, str]:
    """The origin, and path and query as they are sent."""
    parts = _parts(url)
    place, path, query = _beginning(parts["origin"], values)
    if query and (parts["path"] or parts["query"]):
        raise FillError(f"{parts['origin']} has a “?” in it, and more of the address follows.")
    more = _path(parts["path"] or "", values)
    query = query or _put(_literal(parts["query"] or "", _IN_QUERY), values, _quoted)
    return place, ((path.removesuffix("/") if more else path) + more or "/") + query


def _beginning(text: str, values: Values) -> tuple[Origin, str, str]:
    """The origin; where a variable is all of it, the path and the query that its value has, too."""
    names = ", ".join(dict.fromkeys(_VARIABLE.findall(text)))
    filled = _put(text, values, _as_it_is)
    base = _BASE.fullmatch(filled)
    whole = _VARIABLE.fullmatch(text)
    if base is None or _CONTROL.search(filled) or (filled != base["origin"] and not whole):
        raise FillError(f"{names} makes no address of a server.")
    try:
        place = origin(base["origin"])
    except OriginError as error:
        raise FillError(f"{names or text} makes no address of a server. {error}") from None
    return (
        place,
        quote(base["path"] or "", safe=_IN_PATH),
        quote(base["query"] or "", safe=_IN_QUERY),
    )


def _path(path: str, values: Values) -> str:
    """The document's path with its values, none of which leads to another folder."""
    segments = []
    for segment in path.split("/"):
        text = _put(_literal(segment, _IN_PATH), values, _quoted)
        if text in (".", "..") and text != segment:
            names = ", ".join(_VARIABLE.findall(segment))
            raise FillError(f"{names} makes “{text}” of a part of the path: that leads elsewhere.")
        segments.append(text)
    return "/".join(segments)


def _literal(text: str, safe: str) -> str:
    """What the author wrote, fit for the wire; the variables stay what they are."""
    pieces = _VARIABLE.split(text)  # text, name, text, …
    pieces[::2] = [quote(piece, safe=safe) for piece in pieces[::2]]
    pieces[1::2] = [f"${{{name}}}" for name in pieces[1::2]]
    return "".join(pieces)


def _header(header: str, text: str, values: Values) -> str:
    def one(name: str, value: str) -> str:
        if _CONTROL.search(value):
            raise FillError(
                f"{name} holds line breaks or control characters: it cannot stand in the header "
                f"{header}."
            )
        return value

    filled = _put(text, values, one)
    if filled != filled.strip(" "):
        names = ", ".join(_VARIABLE.findall(text))
        raise FillError(f"{names} begins or ends with a space, which the header {header} loses.")
    return filled


def _content(kind: str, content: str, values: Values) -> str:
    """By its media type: escaped in JSON, forms and XML, as it is in other text."""
    if not _VARIABLE.search(content):
        return content
    media = kind.partition(";")[0].strip().lower()
    for pattern, put in _MEDIA:
        if re.fullmatch(pattern, media):
            return put(content, values)
    raise FillError(
        f"Values cannot be put into {media}: only into JSON, forms, XML and plain text."
    )


def _into_json(content: str, values: Values) -> str:
    def one(match: re.Match[str]) -> str:
        if match["string"]:
            return _put(match[0], values, lambda _, value: json.dumps(value)[1:-1])
        name = match[2]
        value = _value(name, values)
        if not _SCALAR.fullmatch(value):
            raise FillError(
                f"{name} is no number, true, false or null: in JSON write “${{{name}}}” in quotes."
            )
        return value

    return _JSON.sub(one, content)


def _into_xml(content: str, values: Values) -> str:
    def one(name: str, value: str) -> str:
        if _NOT_XML.search(value):
            raise FillError(f"{name} holds control characters: it cannot stand in XML.")
        return escape(value, _ENTITIES)

    return _put(content, values, one)


_MEDIA: tuple[tuple[str, Callable[[str, Values], str]], ...] = (
    (r"application/json|.*\+json", _into_json),
    (r"application/x-www-form-urlencoded", lambda text, values: _put(text, values, _quoted)),
    (r"(?:application|text)/xml|text/html|.*\+xml", _into_xml),
    (r"|text/.*", lambda text, values: _put(text, values, _as_it_is)),
)
