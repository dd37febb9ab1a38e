"""S34: whatever is sent, the answer is one that the description names, has its shape, and is no fault."""

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi import checks
from schemathesis.specs.openapi.schemas import APIOperation, OpenApiSchema

from cvdops.access import limits
from cvdops.access.models import Role, RoleGrant
from cvdops.api.urls import described
from tests.api.calls import token
from tests.cast import person
from tests.web.world import World

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

# What the schema allows may still not fit what there is, and be told so (422).
NOT_HERE = [checks.positive_data_acceptance, checks.ignored_auth, checks.unsupported_method]
SHORT, LONG = 3, 1000  # examples of what fits and of what does not, for each call


@cache
def schema() -> OpenApiSchema:
    told = json.loads(json.dumps(described()))
    for calls in told["paths"].values():
        for call in calls.values():
            call["security"] = []  # who asks is tested elsewhere: see test_tokens
    found = schemathesis.openapi.from_dict(told)
    found.app = get_wsgi_application()
    return found


@cache
def operations() -> dict[str, APIOperation]:
    found = [result.ok() for result in schema().get_all_operations()]
    return {one.definition.raw["operationId"]: one for one in found}


# A stream has no end, and its shape is that of its events: see test_events.
CALLS = [
    call
    for calls in described()["paths"].values()
    for call in calls.values()
    if call["operationId"] != "events.events"
]
NAMES = sorted(call["operationId"] for call in CALLS)
TAGS = sorted({call["tags"][0] for call in CALLS})


@pytest.fixture
def text(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """The token of somebody who may nearly everything, and as often as they like."""
    for kind in limits.Kind:
        monkeypatch.setitem(limits._RATES, kind, (1_000_000, 1.0, kind))
    lead = person("operations-lead")
    RoleGrant.objects.create(user=lead, role=Role.objects.get(pk="admin"))
    return token("operations-lead")


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """As of Django's own test client: the end of a request does not close the test's connection."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def there(world: World) -> dict[str, Any]:
    """What stands in addresses, of things that are there."""
    words = {
        "execution_id": "EXECUTION",
        "request_id": "REQUEST",
        "change_id": "CHANGE",
        "trigger_id": "TRIGGER",
        "hold_id": "HOLD",
        "delegation_id": "DELEGATION",
        "username": "HOLDER",
    }
    known = {"runbook_id": "deployment", "step_id": "hello", "slug": "development", "number": 1}
    return {**known, "name": "practice", "kind": "hosts", "position": 0, **world.named(words)}


@pytest.mark.parametrize("tag", TAGS)
def test_every_answer_is_as_described(tag: str, text: str, there: dict[str, Any]) -> None:
    for call in CALLS:
        if call["tags"] == [tag]:
            examine(call["operationId"], text, there, SHORT)


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
        with undone():
            headers = {"Authorization": f"Bearer {text}", "Accept-Encoding": "identity"}
            answer = case.call(headers=headers)
        case.validate_response(answer, excluded_checks=NOT_HERE)

    sent()


class undone:  # noqa: N801 — it reads as a word of its sentence
    """What happens inside is taken back."""

    def __enter__(self) -> None:
        self._outer = transaction.atomic()
        self._outer.__enter__()

    def __exit__(self, *error: object) -> None:
        transaction.set_rollback(True)
        self._outer.__exit__(*error)  # type: ignore[arg-type]
