"""S34: one call after the other, along the links of the description, from a start on."""

from copy import deepcopy
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.generation.stateful.state_machine import APIStateMachine

from cvdops.api.examples import BODIES
from cvdops.api.links import LINKS
from tests.api.described import text, undone
from tests.api.test_described import NOT_HERE, _one_connection, schema

__all__ = ["_one_connection", "text"]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
START = {**BODIES["executions.start"], "procedure": "greet", "variables": {}}
FOLLOWED = [
    *LINKS,
    *{
        link["operationId"]
        for answers in LINKS.values()
        for named in answers.values()
        for link in named.values()
    },
]
CHAINS = 60


def machine(text: str, seen: set[str]) -> type[APIStateMachine]:
    """Chains of this person's calls; `seen` is told what was followed to an answer that is none of an error."""
    headers = {"Authorization": f"Bearer {text}", "Accept-Encoding": "identity"}

    class Chain(schema().include(operation_id=FOLLOWED).as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            self._taken_back = undone()
            self._taken_back.__enter__()

        def teardown(self) -> None:
            self._taken_back.__exit__(None, None, None)

        def before_call(self, case: Case) -> None:
            if case.operation.definition.raw["operationId"] == "executions.start":
                case.body = deepcopy(START)  # what is made up starts nothing

        def call(self, case: Case, **given: Any) -> Any:
            with transaction.atomic():  # what goes wrong in the database is taken back alone
                return super().call(case, **given)

        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            return {"headers": headers}

        def after_call(self, response: Any, case: Case) -> None:
            if response.status_code < 300:
                seen.add(case.operation.definition.raw["operationId"])

        def validate_response(self, response: Any, case: Case, *_args: Any, **_more: Any) -> None:
            case.validate_response(response, headers=headers, excluded_checks=NOT_HERE)

    return Chain


def follow(text: str, chains: int) -> set[str]:
    seen: set[str] = set()
    machine(text, seen).run(
        settings=settings(
            max_examples=chains,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            stateful_step_count=6,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
    )
    return seen


@pytest.mark.faults
def test_what_was_started_is_shown_controlled_and_read(text: str) -> None:
    seen = follow(text, CHAINS)
    assert {"executions.start", "executions.execution", "output.step_output"} <= seen
    assert {"controls.pause", "controls.cancel"} <= seen
