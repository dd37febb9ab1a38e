"""Thousands of cases for a call out of a few: their parts put together anew, with places gone wrong.

Schemathesis takes 5 ms to make a case that fits and up to 400 ms for one that does not, this takes 0.1 ms.
"""

import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import jsonschema_rs
from schemathesis import Case
from schemathesis.core import NOT_SET
from schemathesis.specs.openapi.schemas import APIOperation

from cvdops.api.urls import described
from tests.api import wild

KNOWN = 0.9  # how often what stands in the address is there
OTHERS = 0.4  # how often a field comes from another case


class Mixture:
    """Of `cases`, about what is `there`: by their names, what may stand in the address."""

    def __init__(
        self,
        operation: APIOperation,
        cases: Sequence[Case],
        there: Mapping[str, Sequence[Any]],
        chance: Random,
    ) -> None:
        self._operation, self._cases, self._there, self._chance = operation, cases, there, chance
        content = operation.definition.raw.get("requestBody", {}).get("content", {})
        self._shape = content.get("application/json", {}).get("schema")
        if self._shape is not None:
            whole = {**self._shape, "components": described()["components"]}
            self._validator = jsonschema_rs.Draft202012Validator(whole)

    def case(self) -> Case:
        """One more."""
        place = self._crossed("path_parameters")
        if self._chance.random() < KNOWN:
            place |= {name: self._chance.choice(self._there[name]) for name in place}
        case = self._operation.Case(
            path_parameters=place,
            query=self._crossed("query"),
            headers=self._crossed("headers"),
            body=self._body(),
            media_type="application/json" if self._shape is not None else None,
        )
        for _ in range(self._chance.choice((0, 1, 1, 2))):
            self._spoil(case)
        return case

    def fits(self, case: Case) -> bool:
        """Whether the body may be one that the description allows; False: it surely is not."""
        if self._shape is None or not isinstance(case.body, dict | list | str | int):
            return True
        try:
            return bool(
                self._validator.is_valid(json.loads(json.dumps(case.body, allow_nan=False)))
            )
        except ValueError:  # half a character, or what no JSON holds
            return True

    def _crossed(self, name: str) -> dict[str, Any]:
        one, other = (getattr(self._chance.choice(self._cases), name) for _ in range(2))
        return self._cross(dict(one or {}), dict(other or {}))

    def _cross(self, one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        """The one with some of what the other one has."""
        return one | {n: v for n, v in other.items() if self._chance.random() < OTHERS}

    def _body(self) -> Any:
        one, other = (self._chance.choice(self._cases).body for _ in range(2))
        both = isinstance(one, dict) and isinstance(other, dict)
        return self._cross(one, other) if both else one

    def _spoil(self, case: Case) -> None:
        chance = self._chance
        match chance.choice(("body", "body", "body", "bytes", "query", "place")):
            case "body" if self._shape is not None:
                case.body = wild.changed({} if case.body is NOT_SET else case.body, chance)
            case "bytes" if self._shape is not None and isinstance(case.body, dict):
                case.body = chance.choice(wild.SPOILED)(case.body)
            case "place" if case.path_parameters:
                case.path_parameters[chance.choice(list(case.path_parameters))] = wild.value(chance)
            case "query":
                names = [one.name for one in self._operation.query] or ["x"]
                case.query = {**case.query, chance.choice(names): wild.value(chance)}
