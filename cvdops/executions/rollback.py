"""The undo stack: what was really begun, on which host, and how it is undone, newest first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cvdops.executions.models import Execution, StepRun
from cvdops.executions.plan import Plan, PlannedStep
from cvdops.executions.states import Phase, StepState
from cvdops.lib.ids import uuid7


@dataclass(frozen=True, slots=True)
class UndoEntry:
    """A step that changed something and the step that undoes it; none: a point of no return."""

    step_key: str
    title: str
    rollback_key: str
    rollback_title: str
    host: str
    done_at: datetime | None


def undo_stack(plan: Plan, steps: Iterable[StepRun]) -> tuple[UndoEntry, ...]:
    """What could be undone now, in that order. A step that failed may have changed things too."""
    entries = []
    for step in reversed([s for s in steps if s.phase == Phase.FORWARD]):
        attributes = plan.step(step.key).step.attributes
        begun = step.attempt_count > 0 and step.state != StepState.RUNNING
        if not attributes.destructive or not begun or step.undone_at:
            continue
        title = plan.step(attributes.rollback).step.title if attributes.rollback else ""
        entries.append(
            UndoEntry(step.key, step.title, attributes.rollback, title, step.host, step.finished_at)
        )
    return tuple(entries)


def plan_rollback(execution: Execution, plan: Plan, steps: Sequence[StepRun]) -> list[StepRun]:
    """The rollback's step runs, not yet stored: every undo step once, newest first.

    Those of an earlier, unfinished rollback stay where they are and are not planned again.
    """
    planned = {(s.key, s.host) for s in steps if s.phase == Phase.ROLLBACK}
    position = len(planned)
    fresh = []
    for entry in undo_stack(plan, steps):
        if not entry.rollback_key or (entry.rollback_key, entry.host) in planned:
            continue
        planned.add((entry.rollback_key, entry.host))
        fresh.append(step_run(execution, plan.step(entry.rollback_key), position, Phase.ROLLBACK))
        position += 1
    return fresh


def step_run(execution: Execution, planned: PlannedStep, position: int, phase: Phase) -> StepRun:
    """The row of a planned step, not yet stored."""
    return StepRun(
        id=uuid7(),
        execution=execution,
        phase=phase,
        position=position,
        key=planned.step.id,
        host=planned.host,
        section=planned.step.section.value,
        kind=planned.step.kind.value,
        title=planned.step.title[:300],
    )
