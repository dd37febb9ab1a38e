"""The steps of a start, or of an execution, with everything that somebody has to see before they run."""

from collections.abc import Iterable
from dataclasses import dataclass

from cvdops.executions import reach
from cvdops.executions.inputs import inputs
from cvdops.executions.launch import Preview
from cvdops.executions.models import Execution
from cvdops.executions.plan import PEOPLE, Plan, PlannedStep
from cvdops.spec.document import SectionKind, Step

HIDDEN = "•••"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A step as it would run. A secret value is never shown."""

    number: int
    step: Step
    host: str  # or several, with commas between
    undo: Step | None
    request: str  # what an http step asks for
    values: tuple[tuple[str, str], ...]

    @property
    def is_script(self) -> bool:
        return self.step.kind not in PEOPLE

    @property
    def body(self) -> str:
        """What would run or be asked for; empty for a step that people do."""
        return self.request or (self.step.body if self.is_script else "")


def resolved(preview: Preview, steps: Iterable[Step]) -> list[Resolved]:
    """These steps of its plan, in their order."""
    undo = {step.id: step for step in preview.document.section(SectionKind.ROLLBACK)}
    secret = {v.name for v in preview.document.variables if v.secret}
    known = {n: value for n, value in preview.values.items() if n not in secret}
    shown = {n: known.get(n, HIDDEN) for n in preview.values}
    return [
        Resolved(
            number=number,
            step=step,
            host=preview.targets.where(step),
            undo=undo.get(step.attributes.undone_by),
            request=reach.shown(step, known, preview.draft.addresses),
            values=inputs(step, shown, preview.draft.databases),
        )
        for number, step in enumerate(steps, start=1)
    ]


def planned(execution: Execution, plan: Plan, steps: Iterable[PlannedStep]) -> list[Resolved]:
    """These steps of the pinned plan of an execution, in their order."""
    undo = {step.id: step for step in plan.backward}
    values = dict.fromkeys(plan.variables, HIDDEN) | dict(execution.variables)
    return [
        Resolved(
            number=number,
            step=one.step,
            host=one.where,
            undo=undo.get(one.step.attributes.undone_by),
            request=reach.shown(one.step, execution.variables, plan.addresses),
            values=() if one.step.kind in PEOPLE else inputs(one.step, values, plan.databases),
        )
        for number, one in enumerate(steps, start=1)
    ]
