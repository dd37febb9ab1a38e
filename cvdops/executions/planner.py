"""What comes next: decided from values alone, done elsewhere. Pure."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cvdops.executions.states import ENDING, STEP_DONE, STEP_STUCK, Intent, Phase, StepState
from cvdops.spec.document import OnFailure, Step


class StepView(Protocol):
    """What the planner looks at in a step run."""

    @property
    def state(self) -> str: ...


class Do(StrEnum):
    WORK = "work"  # begin these steps, or find out how they stand if they were begun
    ASK = "ask"  # it is open for somebody: wait
    DELAY = "delay"  # it is tried again later
    STUCK = "stuck"  # it did not succeed: a person decides
    UNDO = "undo"  # it did not succeed and says `on-failure=rollback`
    PAUSE = "pause"
    CANCEL = "cancel"
    END = "end"  # its state is the end of the execution: rejected, expired, cancelled
    FINISH = "finish"  # everything is done


@dataclass(frozen=True, slots=True)
class Next:
    """What to do, and with which step runs: several are those of one step on several hosts."""

    do: Do
    indexes: tuple[int, ...] = ()

    @property
    def index(self) -> int:
        """The first of them; -1 for none."""
        return self.indexes[0] if self.indexes else -1


_ENDED = frozenset({StepState.REJECTED, StepState.EXPIRED, StepState.CANCELLED})


def following(
    phase: str,
    intent: str,
    steps: Sequence[StepView],
    definitions: Sequence[Step],
    delayed: Collection[int] = (),
) -> Next:
    """The one thing to do now. `steps` and `definitions` run in parallel, in their order.

    A step on several hosts is as many neighbours with the same definition; `delayed` are those
    whose time has not come yet.
    """
    for stage in _stages(definitions):
        definition = definitions[stage[0]]
        for batch in _batches(stage, definition):
            left = [i for i in batch if not _passes(phase, steps[i], definition)]
            if left:
                return _at(phase, intent, steps, definition, left, delayed)
    return Next(Do.CANCEL) if intent in ENDING else Next(Do.FINISH)


def _stages(definitions: Sequence[Step]) -> Iterator[list[int]]:
    stage: list[int] = []
    for index, definition in enumerate(definitions):
        if stage and definitions[stage[0]].id != definition.id:
            yield stage
            stage = []
        stage.append(index)
    if stage:
        yield stage


def _batches(stage: list[int], definition: Step) -> Iterator[list[int]]:
    size = definition.attributes.batch or len(stage)
    for start in range(0, len(stage), size):
        yield stage[start : start + size]


def _passes(phase: str, step: StepView, definition: Step) -> bool:
    """Done, or a failure that the document allows: never that of a checkpoint,
    never one in a rollback."""
    return step.state in STEP_DONE or (
        phase == Phase.FORWARD
        and step.state in {StepState.FAILED, StepState.TIMED_OUT}
        and definition.attributes.on_failure is OnFailure.CONTINUE
        and not definition.attributes.checkpoint
    )


def _at(
    phase: str,
    intent: str,
    steps: Sequence[StepView],
    definition: Step,
    left: list[int],
    delayed: Collection[int],
) -> Next:
    """What to do with a batch of which something is left."""

    def those(*states: StepState) -> tuple[int, ...]:
        return tuple(i for i in left if steps[i].state in states)

    pending = those(StepState.PENDING)
    ready = tuple(i for i in pending if i not in delayed)
    if running := those(StepState.RUNNING):
        return Next(Do.WORK, running if intent else running + ready)
    if intent in ENDING:
        return Next(Do.CANCEL, tuple(left))
    if ended := those(*_ENDED):
        return Next(Do.END, ended)
    if pending and intent == Intent.PAUSE:
        return Next(Do.PAUSE, pending)
    if ready:
        return Next(Do.WORK, ready)
    if pending:
        return Next(Do.DELAY, pending)
    if waiting := those(StepState.WAITING):
        return Next(Do.ASK, waiting)
    return _stuck(phase, steps, definition, those(*STEP_STUCK))


def _stuck(phase: str, steps: Sequence[StepView], definition: Step, stuck: tuple[int, ...]) -> Next:
    undo = (
        phase == Phase.FORWARD
        and definition.attributes.on_failure is OnFailure.ROLLBACK
        and all(steps[i].state != StepState.INTERRUPTED for i in stuck)
    )
    return Next(Do.UNDO if undo else Do.STUCK, stuck)
