"""S34: whatever is sent, the answer is one that the description names, has its shape, and is no fault.

Schemathesis with all its checks asks a running portal over HTTP, by the description that this one gives.
In their thousands the cases are asked in this process: see test_many.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.specs.openapi import checks

from tests.api.described import CALLS, TAGS, generated
from tests.api.running import Running, portal

__all__ = ["portal"]

# Names in what is read that may mean nothing here, so that what the description allows does not fit (422).
DEPENDS = {
    "cursor",  # is one that another page has given
    "host",  # is one of the step's
    "value",  # goes with a `variable`
    "action",  # may be about a runbook or a request, which is to be named then
}
CLOSED: set[str] = set()  # calls that were seen to open nothing without a token: once is enough
SHORT, LONG = 1, 20  # examples of what fits and of what does not, for each call
NAMES = sorted(call["operationId"] for call in CALLS)


def test_every_answer_is_as_described(portal: Running) -> None:
    with all_of_them() as one:
        for name in NAMES:
            with one():
                examine(portal, name, SHORT)


@pytest.mark.faults
@pytest.mark.parametrize("tag", TAGS)
def test_every_answer_is_as_described_for_long(tag: str, portal: Running) -> None:
    with all_of_them() as one:
        for call in CALLS:
            if call["tags"] == [tag]:
                with one():
                    examine(portal, call["operationId"], LONG)
                for case in covered(portal, call["operationId"]):
                    with one():
                        judge(portal, case)


@contextmanager
def all_of_them() -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Go on after a failure, and raise all of them at the end."""
    failures: list[Exception] = []

    @contextmanager
    def one() -> Iterator[None]:
        try:
            yield
        except Exception as failure:  # of any check, or of the network
            failures.append(failure)

    yield one
    if failures:
        raise ExceptionGroup("Not as described", failures)


def covered(portal: Running, name: str) -> Iterator[Case]:
    """The cases that are worth a try by the description alone, about things that are there."""
    operation, schema = portal.operations[name], portal.schema
    there = portal.there[name]
    config = schema.config.generation_for(operation=operation, phase="coverage")
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    for case in schema.iter_coverage_cases(
        operation, generation_modes=modes, generation_config=config
    ):
        if case.path_parameters and not case.meta.is_negative_at(ParameterLocation.PATH):
            case.path_parameters = {n: there[n] for n in case.path_parameters}
        yield case


def examine(portal: Running, name: str, examples: int) -> None:
    """Send what fits and what does not, about things that are there and about others."""
    operation = portal.operations[name]
    pinned = portal.there[name] or None
    fits, does_not = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
    send(portal, operation.as_strategy(fits, path_parameters=pinned), examples)
    if pinned and examples > SHORT:  # else test_bad_input asks for what is not there
        send(portal, operation.as_strategy(fits), examples // 3)
    with suppress(Unsatisfiable):  # there may be nothing in a call that could be wrong
        send(portal, operation.as_strategy(does_not, path_parameters=pinned), examples)


def send(portal: Running, cases: st.SearchStrategy[Case], examples: int) -> None:
    @generated(examples)
    @given(cases)
    def sent(case: Case) -> None:
        judge(portal, case)

    sent()


def judge(portal: Running, case: Case) -> None:
    answer, headers = portal.send(case)
    hold(case, answer, headers)


def hold(
    case: Case, answer: Response, headers: dict[str, str], so_far: ScenarioRecorder | None = None
) -> None:
    """Hold an answer to the description, and to those that came before it in a chain."""
    but = []
    if answer.status_code == 422 and refers(case):
        but.append(checks.positive_data_acceptance)
    if case.operation.label in CLOSED:
        but.append(checks.ignored_auth)
    case.validate_response(answer, headers=headers, excluded_checks=but, recorder=so_far)
    if answer.status_code < 300:
        CLOSED.add(case.operation.label)


def refers(case: Case) -> bool:
    """Whether it names what may not be there, or not together: no schema says what there is."""
    return case.method != "GET" or not DEPENDS.isdisjoint(case.query or {})
