"""The undo stack: what was really begun, on which host, and how it is undone, newest first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models.functions import Now

from cvdops.executions.models import Execution, StepRun
from cvdops.executions.plan import ON_HOSTS, Plan
from cvdops.executions.states import Phase, StepState
from cvdops.lib.ids import uuid7
from cvdops.spec.document import Step


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
        title = plan.step(attributes.undone_by).step.title if attributes.undone_by else ""
        entries.append(
            UndoEntry(
                step.key, step.title, attributes.undone_by, title, step.host, step.finished_at
            )
        )
    return tuple(entries)


def since(entries: Iterable[UndoEntry], steps: Iterable[StepRun], key: str) -> list[UndoEntry]:
    """Those of the entries that a rollback down to this step undoes, it included."""
    place = {step.key: step.position for step in steps if step.phase == Phase.FORWARD}
    return [entry for entry in entries if place[entry.step_key] >= place.get(key, 0)]


def plan_rollback(
    execution: Execution, plan: Plan, steps: Sequence[StepRun], entries: Sequence[UndoEntry]
) -> list[StepRun]:
    """The rollback's step runs, not yet stored: every undo step of these entries once, in their order.

    Those of an earlier, unfinished rollback stay where they are and are not planned again.
    """
    planned = {(s.key, s.host) for s in steps if s.phase == Phase.ROLLBACK}
    position = len(planned)
    fresh = []
    for entry in entries:
        if not entry.rollback_key:
            continue
        undo = plan.step(entry.rollback_key).step
        host = (entry.host or plan.default_host) if undo.kind in ON_HOSTS else ""
        if (undo.id, host) in planned:
            continue
        planned.add((undo.id, host))
        fresh.append(step_run(execution, undo, host, position, Phase.ROLLBACK))
        position += 1
    return fresh


def mark_undone(plan: Plan, step: StepRun) -> None:
    """What this rollback step undoes: on its own host, or on none; one of no host does so for all."""
    keys = [s.id for s in plan.forward if s.attributes.undone_by == step.key]
    undone = StepRun.objects.filter(execution=step.execution_id, key__in=keys)
    if step.host:
        undone = undone.filter(host__in=[step.host, ""])
    undone.update(undone_at=Now())


def step_runs(execution: Execution, plan: Plan) -> list[StepRun]:
    """The rows of the steps of a plan, one for each host, not yet stored."""
    return [
        step_run(execution, planned.step, host, position, Phase.FORWARD, lane)
        for position, planned in enumerate(plan.steps)
        for lane, host in enumerate(planned.hosts)
    ]


def step_run(
    execution: Execution, step: Step, host: str, position: int, phase: Phase, lane: int = 0
) -> StepRun:
    """The row of a step on a host, not yet stored."""
    return StepRun(
        id=uuid7(),
        execution=execution,
        phase=phase,
        position=position,
        lane=lane,
        key=step.id,
        host=host,
        section=step.section.value,
        kind=step.kind.value,
        title=step.title[:300],
    )
