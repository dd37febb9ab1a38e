"""S34: whatever is sent, the answer is one that the description names, has its shape, and is no fault.

Schemathesis with all its checks but two: that what the description allows is taken, where it may be about
something that is not there (`NOT_HERE`); and that nothing opens without a token, which is asked once for each
call. It asks Django with all middleware in the process and transaction of the test, not a running web server.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import CoverageScenario, coverage_scenario
from schemathesis.specs.openapi import checks
from schemathesis.specs.openapi.schemas import APIOperation, OpenApiSchema

from cvdops.api.urls import described
from tests.api.described import CALLS, TAGS, text, there, undone

__all__ = ["text", "there"]

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),  # over WSGI
]

# What the schema allows may still not fit what there is, and be told so (422).
NOT_HERE = [checks.positive_data_acceptance]
DEPENDS = {"cursor", "host", "value", "action"}  # parameters of reading of which that is true
CLOSED: set[str] = set()  # calls that were seen to open nothing without a token
SHORT, LONG = 3, 1000  # examples of what fits and of what does not, for each call


@cache
def schema() -> OpenApiSchema:
    config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
    found = schemathesis.openapi.from_dict(json.loads(json.dumps(described())), config=config)
    found.app = get_wsgi_application()
    return found


@cache
def operations() -> dict[str, APIOperation]:
    found = [result.ok() for result in schema().get_all_operations()]
    return {one.definition.raw["operationId"]: one for one in found}


NAMES = sorted(call["operationId"] for call in CALLS)


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As of Django's own test client: the end of a request does not close the test's connection."""
    monkeypatch.setattr(connections, "close_all", lambda: None)  # nor does a file
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("tag", TAGS)
def test_every_answer_is_as_described(tag: str, text: str, there: dict[str, Any]) -> None:
    for call in CALLS:
        if call["tags"] == [tag]:
            examine(call["operationId"], text, there, SHORT)


@pytest.mark.parametrize("tag", TAGS)
def test_no_call_is_answered_another_method(tag: str, text: str, there: dict[str, Any]) -> None:
    for call in CALLS:
        if call["tags"] == [tag]:
            others = [
                case
                for case in covered(call["operationId"], there)
                if coverage_scenario(case) is CoverageScenario.UNSPECIFIED_HTTP_METHOD
            ]
            for case in others:
                judge(case, text)


def covered(name: str, there: dict[str, Any]) -> Iterator[Case]:
    """The cases that are worth a try by the description alone, about things that are there."""
    operation = operations()[name]
    config = schema().config.generation_for(operation=operation, phase="coverage")
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    for case in schema().iter_coverage_cases(
        operation, generation_modes=modes, generation_config=config
    ):
        if case.path_parameters and not case.meta.is_negative_at(ParameterLocation.PATH):
            case.path_parameters = {n: there[n] for n in case.path_parameters}
        yield case


@pytest.mark.faults
@pytest.mark.parametrize("name", NAMES)
def test_every_answer_is_as_described_for_long(name: str, text: str, there: dict[str, Any]) -> None:
    examine(name, text, there, LONG)


def examine(name: str, text: str, there: dict[str, Any], examples: int) -> None:
    """Send what fits and what does not, about things that are there and about others."""
    operation = operations()[name]
    pinned = {p.name: there[p.name] for p in operation.path_parameters}
    fits, does_not = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
    for places in (pinned, None) if pinned else (None,):
        send(operation.as_strategy(fits, path_parameters=places), text, examples)
    with suppress(Unsatisfiable):  # there may be nothing in a call that could be wrong
        send(operation.as_strategy(does_not, path_parameters=pinned or None), text, examples)


def send(cases: st.SearchStrategy[Case], text: str, examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def sent(case: Case) -> None:
        said = dict(case.query or {})
        nul = any("\0" in str(value) for value in said.values())  # which no text may hold
        fits = case.method == "GET" and not DEPENDS & set(said) and not nul
        judge(case, text, () if fits else NOT_HERE)

    sent()


def judge(case: Case, text: str, but: Sequence[CheckFunction] = ()) -> None:
    """Send it with a token; where that opens something, see once for each call that nothing opens without."""
    headers = {"Authorization": f"Bearer {text}", "Accept-Encoding": "identity"}
    with undone():
        answer = case.call(headers=headers)
    known = [checks.ignored_auth] if case.operation.label in CLOSED else []
    case.validate_response(answer, headers=headers, excluded_checks=[*but, *known])
    if answer.status_code < 300:
        CLOSED.add(case.operation.label)
