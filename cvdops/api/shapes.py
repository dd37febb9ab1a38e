"""The shapes of bodies and answers, as lists of their fields in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

_WORDS = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "object": "object",
}
_FORMATS = {"date-time": "time", "uuid": "id"}


@dataclass(frozen=True, slots=True)
class Field:
    """`kind`: what it may be, in words, with links to other shapes."""

    name: str
    kind: SafeString
    required: bool
    text: str


@dataclass(frozen=True, slots=True)
class Shape:
    name: str
    text: str
    fields: Sequence[Field]


def shapes(schema: Mapping[str, Any]) -> Iterator[Shape]:
    """Those of answers and of parts of bodies, by their names."""
    for name, found in sorted(schema["components"]["schemas"].items()):
        if "properties" in found:
            yield Shape(name, found.get("description", ""), fields(schema, name))


def shape_of(content: Mapping[str, Any]) -> str:
    """The name of the shape of a body or an answer; empty for another one."""
    for kind in content.get("content", {}).values():
        found = kind.get("schema", {})
        found = next((one for one in found.get("allOf", ()) if "$ref" in one), found)
        if "$ref" in found:
            return _name(found)
    return ""


def fields(schema: Mapping[str, Any], shape: str) -> Sequence[Field]:
    """The fields of the shape of this name; of none there are none."""
    found = schema["components"]["schemas"].get(shape, {})
    needed = found.get("required", ())
    return tuple(
        Field(name, _kind(schema, what), name in needed, what.get("description", ""))
        for name, what in found.get("properties", {}).items()
    )


def _kind(schema: Mapping[str, Any], what: Mapping[str, Any]) -> SafeString:
    return mark_safe(_said(schema, what))  # noqa: S308 — each word is escaped where it is made


def _said(schema: Mapping[str, Any], what: Mapping[str, Any]) -> str:
    if "$ref" in what:
        name = _name(what)
        named = schema["components"]["schemas"][name]
        if "properties" in named:
            return f'<a href="#shape-{escape(name)}">{escape(name)}</a>'
        return _said(schema, named)
    if several := what.get("anyOf") or what.get("allOf"):
        return " or ".join(_said(schema, one) for one in several)
    if "const" in what or "enum" in what:
        values = what.get("enum", [what.get("const")])
        return " or ".join(f"<code>{escape(value)}</code>" for value in values)
    if what.get("type") == "array":
        return f"list of {_said(schema, what.get('items', {}))}"
    return _FORMATS.get(what.get("format", ""), _WORDS.get(what.get("type", ""), "anything"))


def _name(reference: Mapping[str, Any]) -> str:
    return str(reference["$ref"]).rpartition("/")[2]
