"""The steps of a start, or of an execution, with everything that somebody has to see before they run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cvdops.executions import reach
from cvdops.executions.inputs import Input, inputs
from cvdops.executions.launch import Preview
from cvdops.executions.models import Execution
from cvdops.executions.plan import PEOPLE, Plan, PlannedStep
from cvdops.spec.document import Step
from cvdops.spec.references import set_by

HIDDEN = "•••"


@dataclass(frozen=True, slots=True)
class Undo:
    """What undoes a step."""

    step: Step
    values: tuple[Input, ...]


@dataclass(frozen=True, slots=True)
class Resolved:
    """A step as it would run. A secret value is never shown."""

    number: int
    step: Step
    host: str  # or several, with commas between
    undo: Undo | None
    request: str  # what an http step asks for
    values: tuple[Input, ...]

    @property
    def is_script(self) -> bool:
        return self.step.kind not in PEOPLE

    @property
    def body(self) -> str:
        """What would run or be asked for; empty for a step that people do."""
        return self.request or (self.step.body if self.is_script else "")

    @property
    def named(self) -> dict[str, str]:
        """The values by their names, for programs."""
        return {one.name: one.value for one in self.values}


def resolved(preview: Preview, steps: Iterable[Step]) -> list[Resolved]:
    """These steps of its plan, in their order."""
    secret = {v.name for v in preview.document.variables if v.secret}
    known = {n: value for n, value in preview.values.items() if n not in secret}
    shown = {n: known.get(n, HIDDEN) for n in preview.values}
    given = _Given(preview.draft, shown)
    return [
        Resolved(
            number=number,
            step=step,
            host=preview.targets.where(step),
            undo=given.undo(step),
            request=reach.shown(step, known, preview.draft.addresses),
            values=given.of(step),
        )
        for number, step in enumerate(steps, start=1)
    ]


def planned(execution: Execution, plan: Plan, steps: Iterable[PlannedStep]) -> list[Resolved]:
    """These steps of the pinned plan of an execution, in their order."""
    given = _Given(plan, dict.fromkeys(plan.variables, HIDDEN) | dict(execution.variables))
    return [
        Resolved(
            number=number,
            step=one.step,
            host=one.where,
            undo=given.undo(one.step),
            request=reach.shown(one.step, execution.variables, plan.addresses),
            values=given.of(one.step),
        )
        for number, one in enumerate(steps, start=1)
    ]


class _Given:
    """What the steps of a plan are given. `values`: as they may be shown."""

    def __init__(self, plan: Plan, values: Mapping[str, str]) -> None:
        self._values = values
        self._databases = plan.databases
        self._backward = {step.id: step for step in plan.backward}
        self._changed = _changed(plan)

    def of(self, step: Step) -> tuple[Input, ...]:
        if step.kind in PEOPLE:
            return ()
        return inputs(step, self._values, self._databases, self._changed[step.id])

    def undo(self, step: Step) -> Undo | None:
        found = self._backward.get(step.attributes.undone_by)
        return Undo(found, self.of(found)) if found else None


def _changed(plan: Plan) -> dict[str, frozenset[str]]:
    """By step: what the scripts up to its end may have set."""
    found: dict[str, frozenset[str]] = {}
    so_far: frozenset[str] = frozenset()
    for step in (*plan.forward, *plan.backward):
        so_far = found[step.id] = so_far.union(set_by(step))
    return found
