"""S34: made-up cases in their thousands for each call: no fault, no status or shape that is not described.

In this process, without a network, and each of them taken back: see test_described for a portal at work.
`CVDOPS_CASES` says how many there are for each call; S34 asks for 2,000.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.transport import Response
from schemathesis.specs.openapi import checks
from schemathesis.specs.openapi.schemas import APIOperation

from cvdops.api.urls import described
from cvdops.approvals.models import ApprovalRequest
from cvdops.executions import triggers
from tests.api.described import CALLS, generated, quiet, text, there
from tests.api.inside import Inside, hold
from tests.api.mixture import Mixture
from tests.api.test_corpus import quickly
from tests.api.test_described import refers
from tests.cast import person
from tests.faults.chance import chance
from tests.web.world import World

__all__ = ["quiet", "text", "there"]

MANY = int(os.environ.get("CVDOPS_CASES", "200"))
MADE = min(
    30, MANY // 20
)  # of what fits and of what does not, by schemathesis; the others are mixed of these
ENOUGH = 5  # failures of a call
# Made on connections of their own: only a portal at work can.
FILES = {"audit.file", "history.file"}
NAMES = sorted({call["operationId"] for call in CALLS} - FILES)


@pytest.fixture(scope="module")
def operations() -> dict[str, APIOperation]:
    config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
    schema = schemathesis.openapi.from_dict(described(), config=config)
    found = [result.ok() for result in schema.get_all_operations()]
    return {one.definition.raw["operationId"]: one for one in found}


@pytest.mark.faults
@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_sent_is_answered_as_described(
    name: str,
    world: World,
    text: str,
    there: dict[str, Any],
    operations: dict[str, APIOperation],
    quiet: None,
) -> None:
    secret = triggers.rotate(person("operations-lead"), there["trigger_id"])[1]
    operation, asking = operations[name], Asking(Inside(text, secret))
    made = known(operation, {one.name: there[one.name] for one in operation.path_parameters})
    mixture = Mixture(operation, made, various(world, there), chance(name))
    with quickly():
        for case in made:
            asking.whole(case)
        while asking.answered.total() < MANY:
            asking.mixed(mixture)
    print(name, len(made), dict(asking.answered))  # noqa: T201 — what was seen, with -rP
    if asking.failures:
        raise ExceptionGroup("Not as described", asking.failures)


class Asking:
    """Goes on after a failure, for a while."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        self.answered: Counter[int] = Counter()
        self.failures: list[Exception] = []

    def whole(self, case: Case) -> None:
        """Ask as schemathesis made it, with all its checks."""
        answer = self._answer(case, sign=False)
        but = [checks.ignored_auth]  # which asks again, over a network
        if answer.status_code == 422 and refers(case):
            but.append(checks.positive_data_acceptance)
        if answer.status_code == 413:  # which schemathesis takes for no refusal
            but.append(checks.negative_data_rejection)
        with self._one():
            case.validate_response(answer, headers=self._inside.headers, excluded_checks=but)

    def mixed(self, mixture: Mixture) -> None:
        case = mixture.case()
        answer = self._answer(case)
        with self._one():
            hold(case, answer, fits=mixture.fits(case))

    def _answer(self, case: Case, *, sign: bool = True) -> Response:
        answer = self._inside.answer(case, sign=sign)
        self.answered[answer.status_code] += 1
        return answer

    @contextmanager
    def _one(self) -> Iterator[None]:
        try:
            yield
        except Exception as failure:
            self.failures.append(failure)
            if len(self.failures) >= ENOUGH:
                raise ExceptionGroup("Not as described", self.failures) from None


def known(operation: APIOperation, pinned: dict[str, Any]) -> list[Case]:
    """Cases by schemathesis, about what is there and about other things."""
    fits, does_not = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
    found = drawn(operation.as_strategy(fits, path_parameters=pinned or None), MADE)
    if pinned:
        found += drawn(operation.as_strategy(fits), MADE // 3)
    with suppress(Unsatisfiable):  # there may be nothing in a call that could be wrong
        found += drawn(operation.as_strategy(does_not, path_parameters=pinned or None), MADE)
    return found


def drawn(cases: st.SearchStrategy[Case], count: int) -> list[Case]:
    found: list[Case] = []

    @generated(count)
    @given(cases)
    def draw(case: Case) -> None:
        found.append(case)

    draw()
    return found


def various(world: World, there: dict[str, Any]) -> dict[str, list[Any]]:
    """What may stand in an address; executions that wait, have not begun, and are over."""
    waiting = world.request()
    executions = [
        ApprovalRequest.objects.get(pk=waiting).execution_id,
        world.emergency().pk,
        world.start().pk,
    ]
    steps = {"step_id": ["hello", "say", "ask"], "request_id": [there["request_id"], waiting]}
    return {n: [v] for n, v in there.items()} | steps | {"execution_id": list(map(str, executions))}
