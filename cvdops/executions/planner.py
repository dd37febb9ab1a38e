"""What comes next: decided from values alone, done elsewhere. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cvdops.executions.states import STEP_DONE, STEP_STUCK, Intent, Phase, StepState
from cvdops.spec.document import OnFailure, Step


class StepView(Protocol):
    """What the planner looks at in a step run."""

    @property
    def state(self) -> str: ...


class Do(StrEnum):
    BEGIN = "begin"  # start this step
    WATCH = "watch"  # it was begun: find out how it stands
    ASK = "ask"  # it is open for somebody: wait
    STUCK = "stuck"  # it did not succeed: a person decides
    UNDO = "undo"  # it did not succeed and says `on-failure=rollback`
    PAUSE = "pause"
    CANCEL = "cancel"
    END = "end"  # its state is the end of the execution: rejected, expired, cancelled
    FINISH = "finish"  # everything is done


@dataclass(frozen=True, slots=True)
class Next:
    """What to do, and with the how-manieth step."""

    do: Do
    index: int = -1


def following(
    phase: str, intent: str, steps: Sequence[StepView], definitions: Sequence[Step]
) -> Next:
    """The one thing to do now. `steps` and `definitions` run in parallel, in their order."""
    for index, (step, definition) in enumerate(zip(steps, definitions, strict=True)):
        if step.state in STEP_DONE or _passes(phase, step, definition):
            continue
        return _at(phase, intent, step, definition, index)
    return Next(Do.CANCEL) if intent == Intent.CANCEL else Next(Do.FINISH)


def _passes(phase: str, step: StepView, definition: Step) -> bool:
    """A failure that the document allows to be passed over. Never a checkpoint, never in a rollback."""
    return (
        phase == Phase.FORWARD
        and step.state in {StepState.FAILED, StepState.TIMED_OUT}
        and definition.attributes.on_failure is OnFailure.CONTINUE
        and not definition.attributes.checkpoint
    )


def _at(phase: str, intent: str, step: StepView, definition: Step, index: int) -> Next:
    if step.state == StepState.RUNNING:
        return Next(Do.WATCH, index)
    if intent == Intent.CANCEL:
        return Next(Do.CANCEL, index)
    if step.state in {StepState.REJECTED, StepState.EXPIRED, StepState.CANCELLED}:
        return Next(Do.END, index)
    if step.state in STEP_STUCK:
        undo = (
            phase == Phase.FORWARD
            and step.state != StepState.INTERRUPTED
            and definition.attributes.on_failure is OnFailure.ROLLBACK
        )
        return Next(Do.UNDO if undo else Do.STUCK, index)
    if step.state == StepState.WAITING:
        return Next(Do.ASK, index)
    return Next(Do.PAUSE if intent == Intent.PAUSE else Do.BEGIN, index)
