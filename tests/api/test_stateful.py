"""S34: one call after the other, along the links of the description, from a start on, on a running portal."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from copy import deepcopy
from itertools import cycle
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from schemathesis import Case
from schemathesis.generation.stateful.state_machine import APIStateMachine

from cvdops.api.examples import BODIES
from cvdops.api.links import LINKS
from tests.api.running import Running, portal
from tests.api.test_described import all_of_them, hold

__all__ = ["portal"]

START = BODIES["executions.start"]
STARTED = [  # one that waits for its approval and can be controlled, and one that is soon over
    {**START, "procedure": "release"},
    {**START, "procedure": "greet", "variables": {}},
]
FOLLOWED = [
    *LINKS,
    *{
        link["operationId"]
        for answers in LINKS.values()
        for named in answers.values()
        for link in named.values()
    },
]


class Chains:
    """Chains of calls; `seen`: what was followed to an answer that is none of an error."""

    def __init__(self, portal: Running, one: Callable[[], AbstractContextManager[None]]) -> None:
        self.portal, self.one = portal, one
        self.begun = 0
        self.seen: set[str] = set()
        self._started = cycle(STARTED)

    def follow(self, chains: int) -> None:
        machine = self._machine()
        while self.begun < chains:
            # What a portal at work answers is not the same twice, and hypothesis wants to play it again.
            with suppress(Flaky):
                machine.run(
                    settings=settings(
                        max_examples=chains - self.begun,
                        deadline=None,
                        database=None,
                        phases=[Phase.generate],
                        stateful_step_count=8,
                        suppress_health_check=list(HealthCheck),
                    )
                )

    def _machine(self) -> type[APIStateMachine]:
        chains = self

        class Chain(self.portal.schema.include(operation_id=FOLLOWED).as_state_machine()):  # type: ignore[misc]
            def setup(self) -> None:
                chains.begun += 1
                self._headers = chains.portal.somebody().headers

            def before_call(self, case: Case) -> None:
                chains.prepare(case)

            def get_call_kwargs(self, case: Case) -> dict[str, Any]:
                return {"headers": self._headers, "base_url": chains.portal.url}

            def after_call(self, response: Any, case: Case) -> None:
                super().after_call(response, case)
                if response.status_code < 300:
                    chains.seen.add(called(case))

            def validate_response(self, response: Any, case: Case, *_: Any, **_more: Any) -> None:
                with chains.one():
                    hold(case, response, self._headers, self.recorder)

        return Chain

    def prepare(self, case: Case) -> None:
        """What is made up starts nothing, is found nowhere, and has written nothing."""
        match called(case):
            case "executions.start":
                case.body = deepcopy(next(self._started))
            case "executions.executions":
                case.query = {}
            case "output.step_output":
                case.query = {n: v for n, v in case.query.items() if n == "offset"}


def called(case: Case) -> str:
    return str(case.operation.definition.raw["operationId"])


CONTROLLED = {"executions.execution", "output.step_output", "controls.pause", "controls.cancel"}


@pytest.mark.parametrize(
    ("count", "wanted"), [(20, set()), pytest.param(400, CONTROLLED, marks=pytest.mark.faults)]
)
def test_what_was_started_is_shown_controlled_and_read(
    portal: Running, count: int, wanted: set[str]
) -> None:
    with all_of_them() as one:
        chains = Chains(portal, one)
        chains.follow(count)
    assert {"executions.start", *wanted} <= chains.seen
