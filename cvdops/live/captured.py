"""The variables that the steps of an execution have left: those meant for other steps, and left-overs."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from cvdops.executions.models import Execution
from cvdops.executions.plan import Plan
from cvdops.live.answers import kept_answers
from cvdops.spec.document import Step

_WORD = re.compile(r"(?<![\w-])[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Captured:
    """A variable whose value the execution itself has set."""

    name: str
    value: str
    host: str
    answer: bool  # it is what came back to a request
    meant: bool  # the document names it for other steps; else it is a left-over, as of a loop


def captured(execution: Execution, plan: Plan) -> tuple[Captured, ...]:
    """All of them, by host and name."""
    found = [
        (host, name, str(value))
        for host, session in sorted(execution.session.items())
        for name, value in sorted(session.get("variables", {}).items())
        if execution.variables.get(name) != value
    ]
    if not found:
        return ()
    answers, meant = kept_answers(plan), frozenset(_meant(plan))
    return tuple(
        Captured(name, value, host, name in answers, name in meant) for host, name, value in found
    )


def _meant(plan: Plan) -> Iterator[str]:
    """What a step captures by name, and what more than one step speaks of."""
    steps = (*plan.forward, *plan.backward)
    yield from (step.attributes.capture for step in steps if step.attributes.capture)
    spoken = Counter(word for step in steps for word in set(_WORD.findall(_text(step))))
    yield from (word for word, count in spoken.items() if count > 1)


def _text(step: Step) -> str:
    passed = step.child.variables.values() if step.child else ()
    return "\n".join((step.body, step.attributes.when, *passed))
