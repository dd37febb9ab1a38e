"""Whether it is time to decide on a step: its batch has to be over, and it has to have begun."""

from cvdops.executions.models import Event, Execution, StepRun
from cvdops.executions.queries import planned
from cvdops.executions.states import STEP_DONE, STEP_OVER, STEP_STUCK, StepEvent, StepState, said
from cvdops.lib.errors import Conflict

_DO = {
    StepEvent.RETRY: "retry it",
    StepEvent.SKIP: "skip it",
    StepEvent.SETTLE: "mark it as done",
}


def refuse_out_of_turn(execution: Execution, step: StepRun, event: StepEvent) -> None:
    """Raises Conflict for a step that has never begun, or whose batch goes on on other hosts."""
    if step.state == StepState.PENDING and not Event.objects.filter(step=step).exists():
        raise Conflict(_not_begun(execution, step, event), "It has not begun")
    if step.state in STEP_STUCK:
        _, batch = _batches(execution, step)
        others = [other for other in batch if other.pk != step.pk]  # it may have changed just now
        if busy := [other.host for other in others if other.state not in STEP_OVER]:
            text = (
                f"“{step.title}” {said(step.state)} on {step.host}, and its batch is not over: wait "
                f"until it has ended on {', '.join(busy)}, then {_DO[event]}."
            )
            raise Conflict(text, "Its batch is not over")


def _not_begun(execution: Execution, step: StepRun, event: StepEvent) -> str:
    before, _ = _batches(execution, step)
    left = [other for other in before if other.state not in STEP_DONE]
    where = f" on {step.host}" if step.host else ""
    if not left:
        return f"“{step.title}” has not begun{where}: there is nothing to {event} yet."
    standing = ", ".join(f"{other.host} ({other.look.label.lower()})" for other in left)
    return (
        f"“{step.title}” has not begun{where}: it waits for the batch before it, {standing}. "
        "It begins by itself when that one is done."
    )


def _batches(execution: Execution, step: StepRun) -> tuple[list[StepRun], list[StepRun]]:
    """The same step on the hosts of the batches before its own, and of its own."""
    lanes = list(execution.steps.filter(key=step.key).order_by("lane"))
    size = planned(execution).step(step.key).step.attributes.batch or len(lanes)
    begin = step.lane // size * size
    return lanes[:begin], lanes[begin : begin + size]
