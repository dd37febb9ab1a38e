"""What does not fit the description of a call, as a sentence for each field."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cvdops.lib.errors import Problem

_BODY = "Send a JSON object as the body."
_NO_NUL = "It holds a NUL, which no text may."


def problems(errors: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """One for each of what pydantic found, with the field by its path in the body."""
    return [Problem(*_told(error)) for error in errors]


def sentence(found: Sequence[Problem]) -> str:
    """All of them with their fields, for who reads the detail alone."""
    return " ".join(f"{problem.field}: {problem.message}" for problem in found)


def _told(error: Mapping[str, Any]) -> tuple[str, str]:
    place = error["loc"]
    field = ".".join(map(str, place[2:]))
    if not field and place[0] == "body":
        return "body", _BODY
    field = field or str(place[-1])
    known, given = _SENTENCES.get(error["type"]), error.get("ctx", {})
    said = known(given) if known else error["msg"].removeprefix("Value error, ")
    return field, said


_SENTENCES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda _: "Say this, too.",
    "extra_forbidden": lambda _: "There is no such field.",
    "string_type": lambda _: "This is a text.",
    "int_type": lambda _: "This is a whole number.",
    "int_parsing": lambda _: "This is a whole number.",
    "bool_type": lambda _: "This is true or false.",
    "bool_parsing": lambda _: "This is true or false.",
    "date_parsing": lambda _: "There is no such day.",
    "date_from_datetime_parsing": lambda _: "There is no such day.",
    "datetime_parsing": lambda _: "There is no such time.",
    "datetime_from_date_parsing": lambda _: "There is no such time.",
    "list_type": lambda _: "This is a list.",
    "dict_type": lambda _: "This is an object.",
    "model_type": lambda _: "This is an object.",
    "model_attributes_type": lambda _: "This is an object.",
    "string_pattern_mismatch": lambda _: _NO_NUL,
    "string_too_short": lambda given: f"It has {given['min_length']} characters at least.",
    "string_too_long": lambda given: f"It has {given['max_length']} characters at most.",
    "too_long": lambda given: f"There are {given['max_length']} at most.",
    "greater_than_equal": lambda given: f"It is {given['ge']} or more.",
    "less_than_equal": lambda given: f"It is {given['le']} or less.",
    "less_than": lambda given: f"It is less than {given['lt']}.",
    "literal_error": lambda given: f"It is {given['expected']}.",
    "enum": lambda given: f"It is {given['expected']}.",
}
